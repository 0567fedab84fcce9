"""PostgreSQL refuses to run as root: servers run as an unprivileged OS user."""
import os
import pwd
import shutil
import subprocess


class OsUser:
    """The user that owns the servers' files: `postgres` for root, else the caller."""

    def __init__(self):
        self.is_root = os.geteuid() == 0
        self.entry = pwd.getpwnam("postgres") if self.is_root else pwd.getpwuid(os.geteuid())
        self.name = self.entry.pw_name

    def command(self, *arguments, death_signal=None):
        """The command line that runs `arguments` as this user, in a process of the same pid.

        `death_signal`: what the process gets when the test run dies without a chance to clean up.
        """
        prefix = ["setpriv"]
        if self.is_root:
            prefix += [f"--reuid={self.entry.pw_uid}", f"--regid={self.entry.pw_gid}", "--init-groups"]
        if death_signal:
            prefix += ["--pdeathsig", death_signal]
        return [*(prefix if len(prefix) > 1 else []), *map(str, arguments)]

    def run(self, *arguments, **options):
        """Runs to the end; raises with the command's output where it fails."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=120, cwd="/", **options)
        if done.returncode:
            raise RuntimeError(f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def own(self, path):
        """Gives a file or folder to this user."""
        if self.is_root:
            shutil.chown(path, self.entry.pw_uid, self.entry.pw_gid)
        return path
