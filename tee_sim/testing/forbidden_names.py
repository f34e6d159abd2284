"""Name the functions of the standard library that the lock kills for, each with what it kills for.

`tee-sim check` looks for these names in sources; a test in one process has stand-ins for those that raise no audit
event (`tee_sim.testing.forbidden_calls`). A test calls a good part of them behind the filter, to see that it kills.
"""

_BY_REASON = {
    "a file": """
        os.open os.fdopen os.close os.closerange os.dup os.dup2 os.pipe os.pipe2 os.read os.readv os.pread os.preadv
        os.write os.writev os.pwrite os.pwritev os.lseek os.sendfile os.copy_file_range os.splice os.fsync
        os.fdatasync os.sync os.truncate os.ftruncate os.posix_fallocate os.posix_fadvise os.lockf os.memfd_create
        os.eventfd os.openpty os.isatty os.ttyname os.get_terminal_size os.device_encoding os.get_blocking
        os.set_blocking os.get_inheritable os.set_inheritable os.tcgetpgrp os.tcsetpgrp os.stat os.lstat os.fstat
        os.statvfs os.fstatvfs os.access os.readlink os.getxattr os.listxattr os.setxattr os.removexattr os.listdir
        os.scandir os.walk os.fwalk os.mkdir os.makedirs os.rmdir os.removedirs os.remove os.unlink os.rename
        os.renames os.replace os.link os.symlink os.mkfifo os.mknod os.chmod os.fchmod os.chown os.fchown os.lchown
        os.utime os.getcwd os.getcwdb time.mktime time.tzset os.chdir os.fchdir os.chroot os.umask os.cpu_count
        os.path.exists os.path.lexists os.path.isfile os.path.isdir os.path.islink os.path.ismount os.path.getsize
        os.path.getmtime os.path.getatime os.path.getctime os.path.realpath os.path.samefile io.open io.open_code
        io.FileIO codecs.open tokenize.open gzip.open bz2.open lzma.open tarfile.open wave.open
        zipfile.ZipFile.extract zipfile.ZipFile.extractall linecache.getlines select.select select.epoll
        pathlib.Path.open pathlib.Path.read_text pathlib.Path.read_bytes pathlib.Path.write_text
        pathlib.Path.write_bytes pathlib.Path.exists pathlib.Path.is_file pathlib.Path.is_dir
        pathlib.Path.is_symlink pathlib.Path.is_mount pathlib.Path.stat pathlib.Path.lstat pathlib.Path.iterdir
        pathlib.Path.glob pathlib.Path.rglob pathlib.Path.mkdir pathlib.Path.rmdir pathlib.Path.touch
        pathlib.Path.unlink pathlib.Path.rename pathlib.Path.replace pathlib.Path.symlink_to
        pathlib.Path.hardlink_to pathlib.Path.readlink pathlib.Path.resolve pathlib.Path.cwd pathlib.Path.samefile
        pathlib.Path.chmod pwd.getpwuid pwd.getpwnam pwd.getpwall getpass.getuser ctypes.util.find_library
    """,
    "a process": """
        os.system os.popen os.fork os.forkpty os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp
        os.execvpe os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe
        os.posix_spawn os.posix_spawnp os.kill os.killpg os.pidfd_open os.wait os.wait3 os.wait4 os.waitid
        os.waitpid os.getppid os.getpgid os.getpgrp os.getsid os.setsid os.setpgid os.setpgrp os.nice os.getpriority
        os.setpriority os.sched_getaffinity os.sched_setaffinity os.sched_getparam os.sched_setparam
        os.sched_getscheduler os.sched_setscheduler os.times uuid.uuid1 uuid.getnode
    """,
    "a thread": "threading.Thread threading.Timer threading.get_native_id _thread.start_new_thread _thread.start_new",
    "a signal": """
        signal.signal signal.alarm signal.setitimer signal.getitimer signal.pause signal.raise_signal
        signal.siginterrupt signal.set_wakeup_fd signal.pthread_kill signal.pthread_sigmask signal.sigpending
        signal.sigwait signal.sigwaitinfo signal.sigtimedwait signal.pidfd_send_signal os.abort faulthandler.enable
        faulthandler.register faulthandler.dump_traceback faulthandler.dump_traceback_later
    """,
    "a question about the host": """
        os.uname os.getloadavg os.getlogin os.getuid os.geteuid os.getgid os.getegid os.getgroups os.getresuid
        os.getresgid os.setuid os.setgid os.setgroups resource.getrlimit resource.setrlimit resource.getrusage
    """,
    "memory that could be shared": "mmap.mmap",
    "a library that is not in memory yet": """
        ctypes.CDLL ctypes.PyDLL ctypes.cdll.LoadLibrary ctypes.pydll.LoadLibrary
    """,
    "memory that could be executed": "ctypes.CFUNCTYPE ctypes.PYFUNCTYPE",
}
FORBIDDEN = {name: f"the lock kills for {reason}" for reason, names in _BY_REASON.items() for name in names.split()}
"""Full name of a function, and why it cannot be called."""
NOTHING_THERE = {
    "os._exit": "it ends the process of the application",
    "sys.stdin": "there is nothing to read from",
    "sys.__stdin__": "there is nothing to read from",
}
"""Names that the lock does not kill for, and that are of no use."""
UNLESS = {"ctypes.CDLL": "None", "ctypes.PyDLL": "None", "mmap.mmap": "MAP_PRIVATE"}
"""What in an argument makes such a call a harmless one."""
LOADS_LATE = {
    "xml.dom.minidom.parse": "xml.dom.expatbuilder",
    "xml.dom.minidom.parseString": "xml.dom.expatbuilder",
    "xml.sax.make_parser": "xml.sax.expatreader",
    "xml.sax.parse": "xml.sax.expatreader",
    "xml.sax.parseString": "xml.sax.expatreader",
    "datetime.datetime.strptime": "_strptime",
    "time.strptime": "_strptime",
}
"""Functions that import a module when they are called, and which; after the lock it is not found."""
