#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A private PostgreSQL server on a Unix socket in a folder of its own, gone without a trace when whoever started it ends.

usage: postgres.py run [--durable] COMMAND [ARGUMENT...]    runs a command beside a server; its exit status
       postgres.py control FOLDER start                      of the server in that folder
       postgres.py control FOLDER stop|restart [MODE]        MODE: smart, fast or immediate (a crash; the standard)

The command finds LOOPHOLE_TEST_POSTGRES (the URL) and LOOPHOLE_TEST_POSTGRES_FOLDER in its environment. From Python:

    with Server() as server:
        connect(server.url); server.stop("immediate"); server.start()

PostgreSQL refuses to run as root: root's servers run as the user postgres. What is committed is not synchronised unless
`durable`: a server that is killed loses nothing by that, only a machine would.
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

USER = "loophole"
SETTINGS = ["listen_addresses=''", "max_connections=64", "log_min_messages=fatal"]
FAST = ["fsync=off", "full_page_writes=off", "synchronous_commit=on"]


def program(name):
    """Debian keeps the server's programs out of the search path."""
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda place: int(place.split("/")[4]))
    found = places[-1] if places else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed (Debian: postgresql-15)")
    return found


def unprivileged():
    """The words before a command that has to run as nobody important."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def run_as_server(*command):
    environment = dict(os.environ, LC_ALL="C")
    result = subprocess.run([*unprivileged(), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, cwd="/", env=environment, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stdout.decode(errors='replace')}")


def start(folder):
    run_as_server(program("pg_ctl"), "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-t", "60", "start")


def stop(folder, mode="immediate"):
    run_as_server(program("pg_ctl"), "-D", f"{folder}/data", "-m", mode, "-w", "-t", "60", "stop")


def is_running(folder):
    return os.path.exists(f"{folder}/data/postmaster.pid")


class Server:
    def __init__(self, durable=False):
        self.folder = tempfile.mkdtemp(prefix="loophole-pg-", dir="/tmp")
        # Whoever holds the pipe is alive; the guard outlives every kind of death of ours and cleans up.
        self.guard = subprocess.Popen([sys.executable, os.path.abspath(__file__), "guard", self.folder],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            os.chmod(self.folder, 0o755)
            if os.geteuid() == 0:
                user = pwd.getpwnam("postgres")
                os.chown(self.folder, user.pw_uid, user.pw_gid)
            run_as_server(program("initdb"), "-D", f"{self.folder}/data", "--username", USER, "--auth=trust",
                          "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
            with open(f"{self.folder}/data/postgresql.conf", "a", encoding="utf-8") as file:
                lines = [*SETTINGS, f"unix_socket_directories='{self.folder}'", *([] if durable else FAST)]
                file.write("\n".join(lines) + "\n")
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def url(self):
        return f"postgresql:///postgres?host={self.folder}&user={USER}"

    @property
    def environment(self):
        return dict(os.environ, LOOPHOLE_TEST_POSTGRES=self.url, LOOPHOLE_TEST_POSTGRES_FOLDER=self.folder)

    def start(self):
        start(self.folder)

    def stop(self, mode="immediate"):
        stop(self.folder, mode)

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def pid(self):
        """Of the server's first process: to be stopped and continued, say."""
        with open(f"{self.folder}/data/postmaster.pid", encoding="utf-8") as file:
            return int(file.readline())

    def remove(self):
        self.guard.stdin.close()
        self.guard.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def guard(folder):
    sys.stdin.buffer.read()
    try:
        if is_running(folder):
            with open(f"{folder}/data/postmaster.pid", encoding="utf-8") as file:
                os.killpg(int(file.readline()), signal.SIGCONT)  # a test may have stopped it
            stop(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments):
    if arguments[:1] == ["run"] and len(arguments) > 1:
        durable = arguments[1] == "--durable"
        with Server(durable) as server:
            return subprocess.run(arguments[2 if durable else 1:], env=server.environment, check=False).returncode
    if arguments[:1] == ["control"] and len(arguments) in (3, 4):
        folder, verb, mode = arguments[1], arguments[2], (arguments[3:] or ["immediate"])[0]
        if verb in ("stop", "restart"):
            stop(folder, mode)
        if verb in ("start", "restart"):
            start(folder)
        return 0
    if arguments[:1] == ["guard"] and len(arguments) == 2:
        guard(arguments[1])
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
