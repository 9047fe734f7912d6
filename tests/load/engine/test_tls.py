"""TLS for real: a certificate made here, checked by the engine unless it is told not to."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading

import pytest

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.load.plan import Model

x509 = pytest.importorskip("cryptography.x509", reason="makes the certificate")
ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")

FEW = Model(concurrency=2, requests=20)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=7)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(peer, kit, certificate):
    """An HTTPS server before a scripted one: it passes bytes on."""
    inner = peer(lambda talk, asked: kit.handshake(talk, asked) or talk.say(kit.plain(kit.result_for(asked))))
    port = int(inner.url.rpartition(":")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(accepted: socket.socket) -> None:
        try:
            with (
                context.wrap_socket(accepted, server_side=True) as outer,
                socket.create_connection(("127.0.0.1", port)) as within,
            ):
                while asked := outer.recv(65536):
                    within.sendall(asked)
                    outer.sendall(within.recv(65536))
        except OSError:
            accepted.close()

    def accept() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(accepted,)))
            threads[-1].start()

    main = threading.Thread(target=accept)
    main.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/mcp"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    main.join()
    for thread in threads:
        thread.join()


def test_calls_go_over_tls_where_the_certificate_is_trusted(secured, kit, certificate):
    ran = kit.run(kit.plan(secured, model=FEW, stream=False, ca_file=str(certificate)))
    assert ran.outcomes == {"ok": 20}
    assert ran.phase("tls") == (2, 0)


def test_any_certificate_will_do_where_none_is_asked_for(secured, kit):
    assert kit.run(kit.plan(secured, model=FEW, stream=False, verify=False)).outcomes == {"ok": 20}


def test_a_certificate_that_nobody_vouches_for_is_a_tls_failure(secured, kit):
    ran = kit.run(kit.plan(secured, model=Model(concurrency=1, requests=1)))
    assert ran.outcomes == {"tls": 1}
    assert "CERTIFICATE_VERIFY_FAILED" in ran.samples[0].error


def test_a_file_that_holds_no_certificates_is_said_before_the_run(kit, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("none")
    with pytest.raises(InputError, match="cannot be read as certificates"):
        kit.run(kit.plan("https://127.0.0.1:1/mcp", ca_file=str(path)))
