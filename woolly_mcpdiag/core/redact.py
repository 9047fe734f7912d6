"""The one redaction of secrets: headers, keys, passwords, tool arguments, and what URLs carry.

Session ids stay, as they are what is diagnosed. Every function takes time linear in its text, and redacting
a redacted text changes nothing.
"""

import re

MASK = "\u2039redacted\u203a"

_NAMES = (
    "token", "key", "auth", "secret", "pass", "pwd", "cookie", "credential", "argument", "args", "input", "pw=",
    "jsess", "sessid", "net_sess", "curl", "--user",
)  # fmt: skip
_SCHEMES = ("bearer", "basic ")
_SHAPES = ("sk-", "gh", "pat_", "lpat-", "xox", "akia", "asia", "aiza", "hf_", "npm_")
_NESTED = 8
"""Times that masking may bare another name with a secret; a text that needs more is masked whole."""
_NEEDLES = (*_NAMES, *_SCHEMES, *_SHAPES, "eyj", "?", "@")
"""A text that has none of these (in lower case) has nothing to mask."""

_NAMED = re.compile(
    r"""
    (?: (?P<header>(?:proxy-)?authorization|cookies?(?=[\\"'\s:=]))
      | (?<![a-z])(?P<arguments>(?:tool_?|kw)?arg(?:ument)?s|(?:tool_?)?inputs?(?!_))
      | (?P<soft>(?<!progress)token(?!s|_?(?:type|count|limit|url|uri|endpoint|usage))|credentials?)
      | input_value(?==)|x-auth(?=\\{0,9}["']?\s{0,8}[:=])|(?<![a-z])(?:pass|pw|auth)(?=\s?=)
      | (?:j|php|asp\.net_)sess(?:ion)?_?id
      | pass(?:word|wd|phrase)|pwd|secret|(?:api|access|private|auth|encryption|signing|account)[_-]?key
    )
    (?P<rest>[\w\-]{0,40})
    (?: \\{0,9}["']\s{0,8}(?::|,|=>?) | \s{0,8}(?P<bare>:|=>?) )
    \s{0,8}
    (?P<open>b?\\{0,9}["']|[{\[])?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LINE = re.compile(r"(?:[ ]*(?:digest|aws4-hmac-sha256)[ ][^\r\n]*|[^\r\n\"']*)", re.IGNORECASE)
_WORD = re.compile(r"(?:(?:bearer|basic|token|digest)[ ]{1,8})?[^\s,;&\"'<>(){}\[\]|\\]+", re.IGNORECASE)
_HARMLESS = {"none", "null", "true", "false"}
_QUOTE = re.compile(r"""(?<!\\)\\*+["']""")
_BRACKET = re.compile(r"""(?<!\\)\\*+["']|[{}\[\]]""")

_SCHEME = re.compile(
    r"\b((?i:bearer)[ \t]{1,8}"
    r"(?!(?i:auth|token|realm|scheme|error|challenge|credential|header|required|missing|format|method|type|access)\w*\b)"
    r"|(?i:basic)[ ]{1,8}(?=[^\s,;\"'<>]{20}|[^\s,;\"'<>]{0,19}[\d=A-Z]))"
    r"([^\s,;\"'<>)\]}\\]{4,}+)"
)
_DOTTED = re.compile(r"(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]++(?:\.[A-Za-z0-9_\-]++)++")
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_\-]{16,}+|gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{16,}+|glpat-[\w\-]{16,}+"
    r"|xox[abeoprs]-[A-Za-z0-9\-]{8,}+|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w\-]{30,}+|hf_[A-Za-z0-9]{20,}+"
    r"|npm_[A-Za-z0-9]{30,}+)"
)
_USERINFO = re.compile(r"://[^\s/?#\"'<>\\]*@")
_LOGIN = re.compile(r"""(?<![\w.\-+%:/])([\w.\-+%]{1,64}):[^\s:@/\\"'<>]{1,128}@(?=[\w\[])""")
_FLAG = re.compile(
    r"""(?<![\w\-])((?:-u|--user)[ ]{1,8}(?=[^\s"':]{1,64}:)"""
    r"""|--(?:pass(?:word|wd|phrase)?|token|secret|api-?key)[ ]{1,8})"""
    r"""[^\s\-"'][^\s"']*"""
)
_QUERY = re.compile(r"([?&](?:amp;)?([^=&?#\s\"'<>]{1,128})=)([^&#\s\"'<>\\]+)")
_PATHS = re.compile(
    r"(?:://[^\s/?#\"'<>\\]*|(?<!\w)(?:GET|POST|DELETE|PUT|HEAD|OPTIONS|PATCH) (?=/))(?:/[^\s/?#\"'<>\\]*)+"
)
_LONG = re.compile(r"(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]{20,}+")
_SESSION = re.compile(
    r"(?:[A-Za-z_\-]{1,24}[_\-])?(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.IGNORECASE
)
_PIECES = re.compile(r"[A-Za-z0-9]+")
_RANDOM = 16
"""Characters of words that mix letters and digits from which a part of a path counts as random."""
_SESSION_NAMES = {"sessionid", "mcpsessionid", "session"}


def text(s: str) -> str:
    """Return a text with every secret in it replaced by ``MASK``."""
    for _ in range(_NESTED):
        masked = _once(s)
        if masked is s or masked == s:
            return masked
        s = masked
    return MASK


def _once(s: str) -> str:
    if "/" in s:
        s = _PATHS.sub(_path, s)
    low = s.lower()
    for needle in _NEEDLES:
        if needle in low:
            break
    else:
        return s
    if "@" in s:
        s = _USERINFO.sub(f"://{MASK}@", s)
        s = _LOGIN.sub(rf"\g<1>:{MASK}@", s)
    if "--" in s or "-u " in s:
        s = _FLAG.sub(rf"\g<1>{MASK}", s)
    if "?" in s:
        s = _QUERY.sub(_query_value, s)
    if _any_of(_NAMES, low):
        s = _named(s)
    if _any_of(_SCHEMES, low):
        s = _SCHEME.sub(rf"\g<1>{MASK}", s)
    if "eyj" in low:
        s = _DOTTED.sub(_jwt, s)
    return _KEY.sub(MASK, s) if _any_of(_SHAPES, low) else s


def _any_of(needles: tuple[str, ...], low: str) -> bool:
    return any(needle in low for needle in needles)


def url(s: str) -> str:
    """Return a URL without userinfo and fragment, its query's values and random parts of its path masked.

    Session ids stay, in the query by their name and in the path by their shape (32 hexadecimal digits, UUID).
    """
    for _ in range(_NESTED):
        masked = _url_once(s)
        if masked == s:
            return masked
        # Masking may take away what stood before another "://".
        s = masked
    return MASK


def _url_once(s: str) -> str:
    s = s.partition("#")[0]
    scheme, slashes, rest = s.partition("://")
    if slashes:
        end = next((at for at, char in enumerate(rest) if char in "/?"), len(rest))
        s = f"{scheme}://{rest[:end].rpartition('@')[2]}{rest[end:]}"
    elif "/" in s:
        path, mark, query = s.partition("?")
        host, slash, path = path.partition("/")
        s = f"{host}{slash}{_LONG.sub(_segment, path)}{mark}{query}"
    return text(s)


def _path(match: re.Match[str]) -> str:
    """Mask the random parts of a path, not of the host before it."""
    found = match[0]
    at = found.find("/", 3 if found[0] == ":" else 0)
    return found[:at] + _LONG.sub(_segment, found[at:])


def _segment(match: re.Match[str]) -> str:
    found = match[0]
    if _SESSION.match(found) is not None:
        return found
    mixed = sum(len(one) for one in _PIECES.findall(found) if not one.isalpha() and not one.isdigit())
    return MASK if mixed >= _RANDOM else found


def _query_value(match: re.Match[str]) -> str:
    name = match[2].lower().replace("_", "").replace("-", "")
    return match[0] if name in _SESSION_NAMES else match[1] + MASK


def _jwt(match: re.Match[str]) -> str:
    found = match[0]
    at = found.find("eyJ")
    return f"{found[:at]}{MASK}" if at >= 0 and "." in found[at:] else found


def _named(s: str) -> str:
    """Mask what follows the name of a secret: quoted, in brackets, or the word or line after it."""
    out: list[str] = []
    done = at = 0
    while (match := _NAMED.search(s, at)) is not None:
        start, end = _value(s, match)
        if start == end:
            at = match.end("rest")
            continue
        out += (s[done:start], MASK)
        done = at = end
    out.append(s[done:])
    return "".join(out)


def _value(s: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the value begins and ends; an empty span where there is none to mask."""
    start, opening = match.end(), match["open"]
    if opening in {"{", "["}:
        return start - 1, _balanced(s, start - 1)
    if opening:
        end = _closing(s, start, opening[-1], opening.count("\\"))
        return start, len(s) if end < 0 else end
    if match["arguments"] or not match["bare"]:
        return start, start
    if match["header"]:
        line = _LINE.match(s, start)
        return start, line.end() if line else start
    word = _WORD.match(s, start)
    if word is None or word[0].lower() in _HARMLESS:
        return start, start
    # "Invalid token: signature expired" is prose: after a colon only what looks random is a token.
    if match["soft"] and match["bare"] == ":" and len(word[0]) < 20 and not any(map(str.isdigit, word[0])):
        return start, start
    return start, word.end()


def _closing(s: str, start: int, quote: str, escapes: int) -> int:
    """Return where the quoted text ends (at its quote, or at the backslashes before it), -1 where it does not.

    ``escapes`` is the number of backslashes before the opening quote, as in JSON inside JSON.
    """
    for match in _QUOTE.finditer(s, start):
        if match[0][-1] != quote:
            continue
        before = len(match[0]) - 1
        if before <= escapes if escapes else before % 2 == 0:
            return match.end() - 1 - min(before, escapes)
    return -1


def _balanced(s: str, start: int) -> int:
    """Return the end of a bracketed value, the end of the text where it is cut off."""
    depth, at = 0, start
    while (match := _BRACKET.search(s, at)) is not None:
        at = match.end()
        mark = match[0][-1]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return at
        else:
            end = _closing(s, at, mark, len(match[0]) - 1)
            if end < 0:
                return len(s)
            at = s.index(mark, end) + 1
    return len(s)
