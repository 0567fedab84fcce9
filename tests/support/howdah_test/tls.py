"""A certificate authority of our own, and a server certificate for localhost."""
import subprocess
from pathlib import Path


class Authority:
    """`ca`, `cert`, `key`: PEM files, the latter two for localhost, 127.0.0.1 and ::1."""

    def __init__(self, folder, os_user):
        self.folder = Path(folder)
        self.folder.mkdir()
        os_user.own(self.folder)
        self.ca, self.ca_key = self._certificate("ca", "/CN=test CA", "keyUsage=keyCertSign")
        self.cert, self.key = self._certificate(
            "server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-addext", "basicConstraints=CA:FALSE",
            "-CA", self.ca, "-CAkey", self.ca_key, os_user=os_user)
        self.other_ca, _ = self._certificate("other", "/CN=other CA", "keyUsage=keyCertSign")

    def _certificate(self, name, subject, extension, *more, os_user=None):
        cert, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "30", "-subj", subject, "-addext", extension,
             "-keyout", key, "-out", cert, *more],
            check=True, capture_output=True, timeout=60)
        key.chmod(0o600)
        if os_user:
            os_user.own(key)
        return cert, key
