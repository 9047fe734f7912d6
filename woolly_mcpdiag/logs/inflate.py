"""The one place that turns the bytes of a file into UTF-8 text bytes: gzip and zstd inflated, UTF-16 transcoded.

Damaged files give every byte that could be read, then tell what is wrong.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
UTF8_BOM = codecs.BOM_UTF8
_CHUNK = 1 << 16
# A zstd block of 4 bytes can hold 128 KiB, so small pieces bound what one call may give.
_ZSTD_CHUNK = 1 << 12
_CAREFUL_CHUNK = 1 << 12

Report = Callable[[str], None]
"""Takes what is wrong with the file."""


class Chunks(io.RawIOBase):
    """A raw binary stream over an iterator of byte strings."""

    def __init__(self, chunks: Iterator[bytes], source: BinaryIO) -> None:
        super().__init__()
        self._chunks = chunks
        self._source = source
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer from the next chunk; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._source.close()
        super().close()


def readable(source: io.BufferedReader, head: bytes, report: Report) -> BinaryIO:
    """Return a stream of plain UTF-8 (or unknown 8-bit) text; ``head`` is what the source begins with, not yet read."""
    if head.startswith(GZIP):
        chunks = _gunzip(source, report)
    elif head.startswith(ZSTD):
        chunks = _unzstd(source, report)
    elif head.startswith(UTF8_BOM):
        source.read(len(UTF8_BOM))
        return source
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        chunks = _read(source)
    else:
        return source
    return io.BufferedReader(Chunks(_decoded(chunks), source), _CHUNK)


def _read(source: BinaryIO, size: int = _CHUNK) -> Iterator[bytes]:
    while chunk := source.read(size):
        yield chunk


def _decoded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Drop a UTF-8 byte order mark, transcode UTF-16 that has one, pass on the rest."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(UTF8_BOM):
            break
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        yield decoder.decode(head).encode("utf-8", "replace")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")
        return
    yield head.removeprefix(UTF8_BOM)
    yield from chunks


def _gunzip(source: io.BufferedReader, report: Report) -> Iterator[bytes]:
    """Inflate at full speed; a damaged file is read again in small steps for what the fast way loses."""
    given = 0
    start = source.tell() if source.seekable() else None
    opened, failure = _fast_gzip(source)
    try:
        with opened as stream:
            while chunk := stream.read1(_CHUNK):
                given += len(chunk)
                yield chunk
    except (EOFError, OSError, ValueError, failure) as error:
        damage = "ends in the middle of its gzip data" if isinstance(error, EOFError) else "has damaged gzip data"
        if start is not None:
            source.seek(start)
            for chunk in _careful(source):
                yield chunk[max(0, given) :] if given > 0 else chunk
                given -= len(chunk)
        report(damage)


def _fast_gzip(source: BinaryIO) -> tuple[Any, type[Exception]]:
    """Return a file object (isal has no types) and what it raises for damaged data."""
    try:
        from isal import igzip, isal_zlib  # noqa: PLC0415 - an optional extra
    except ImportError:
        return gzip.GzipFile(fileobj=source), zlib.error
    return igzip.IGzipFile(fileobj=source), isal_zlib.error  # type: ignore[no-untyped-call,return-value]  # its stub calls the class an instance


def _careful(source: BinaryIO) -> Iterator[bytes]:
    """Inflate gzip members until the data makes no sense, to the last byte before that."""
    inflate = zlib.decompressobj(31)
    for piece in _read(source, _CAREFUL_CHUNK):
        rest = piece
        while rest:
            if inflate.eof:
                inflate = zlib.decompressobj(31)
            before = inflate.copy()
            try:
                yield inflate.decompress(rest)
            except zlib.error:
                yield from _bytewise(before, rest)
                return
            rest = inflate.unused_data


def _bytewise(inflate: Any, piece: bytes) -> Iterator[bytes]:  # noqa: ANN401 - zlib's type has no public name
    for at in range(len(piece)):
        try:
            yield inflate.decompress(piece[at : at + 1])
        except zlib.error:
            return


def _unzstd(source: BinaryIO, report: Report) -> Iterator[bytes]:
    new, failure = _zstd()
    frame = new()
    fed = False
    for piece in _read(source, _ZSTD_CHUNK):
        rest = piece
        while rest:
            if frame.eof:
                frame, fed = new(), False
            try:
                yield frame.decompress(rest)
            except failure:
                report("has damaged zstd data")
                return
            fed = True
            rest = frame.unused_data if frame.eof else b""
    if fed and not frame.eof:
        report("ends in the middle of its zstd data")


def _zstd() -> tuple[Callable[[], Any], type[Exception]]:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - from Python 3.14 on
    except ImportError:
        import zstandard  # noqa: PLC0415 - loaded for .zst files only

        return zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError
    return zstd.ZstdDecompressor, zstd.ZstdError
