"""A certificate authority of our own, certificates for localhost and for clients, and revocation."""
import subprocess
from pathlib import Path


class Authority:
    """`ca`, `cert`, `key`: PEM files, the latter two for localhost, 127.0.0.1 and ::1."""

    def __init__(self, folder, os_user):
        self.folder = Path(folder)
        self.folder.mkdir()
        os_user.own(self.folder)
        self.ca, self.ca_key = self._certificate("ca", "/CN=test CA", "keyUsage=keyCertSign,cRLSign")
        self.cert, self.key = self._certificate(
            "server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-addext", "basicConstraints=CA:FALSE",
            "-CA", self.ca, "-CAkey", self.ca_key, os_user=os_user)
        self.other_ca, _ = self._certificate("other", "/CN=other CA", "keyUsage=keyCertSign")

    def server(self, name, os_user):
        """Another certificate for localhost: (cert, key)."""
        return self._certificate(name, "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                 *self._signed(), os_user=os_user)

    def client(self, name, file=None):
        """A certificate in the name of `name`: (cert, key)."""
        return self._certificate(file or f"client-{name}", f"/CN={name}", "extendedKeyUsage=clientAuth",
                                 *self._signed())

    def stranger(self, name):
        """The same, signed by itself."""
        return self._certificate(f"stranger-{name}", f"/CN={name}", "extendedKeyUsage=clientAuth")

    def revoked(self, *certificates):
        """A list that revokes these certificates."""
        config, index, crl = (self.folder / name for name in ("ca.cnf", "index.txt", "ca.crl"))
        index.write_text("")
        config.write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={index}\ndefault_md=sha256\n"
                          "default_crl_days=30\n")
        ca = ["openssl", "ca", "-config", config, "-keyfile", self.ca_key, "-cert", self.ca]
        for certificate in certificates:
            subprocess.run([*ca, "-revoke", certificate], check=True, capture_output=True, timeout=60)
        subprocess.run([*ca, "-gencrl", "-out", crl], check=True, capture_output=True, timeout=60)
        return crl

    def _signed(self):
        return "-addext", "basicConstraints=CA:FALSE", "-CA", self.ca, "-CAkey", self.ca_key

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
