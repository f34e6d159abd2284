"""System call numbers of the attempts: name -> (x86_64, aarch64), -1 where the architecture lacks it.

Sources: syscall_64.tbl and asm-generic/unistd.h. A test compares them with an independent package's tables.
"""

from typing import Final

_TABLE: Final = """
accept4 288 242; add_key 248 217; bind 49 200; bpf 321 280; chdir 80 49; chroot 161 51; clone 56 220
clone3 435 435; close 3 57; connect 42 203; copy_file_range 326 285; dup 32 23; dup3 292 24
epoll_create1 291 20; eventfd2 290 19; execve 59 221; execveat 322 281; exit 60 93; exit_group 231 94
fadvise64 221 223; fallocate 285 47; fanotify_init 300 262; fchdir 81 50; fchmod 91 52; fchmodat 268 53
fcntl 72 25; finit_module 313 273; fork 57 -1; fsetxattr 190 7; fsopen 430 430; ftruncate 77 46; getpid 39 172
getsockname 51 204; inotify_init1 294 26; io_setup 206 0; io_uring_enter 426 426; io_uring_setup 425 425
ioctl 16 29; ioprio_get 252 31; ioprio_set 251 30; kcmp 312 272; kexec_load 246 104; keyctl 250 219
kill 62 129; landlock_create_ruleset 444 444; landlock_restrict_self 446 446; linkat 265 37; listen 50 201
lseek 8 62; membarrier 324 283; memfd_create 319 279; memfd_secret 447 447; mincore 27 232; mkdirat 258 34
mknodat 259 33; mlock 149 228; mmap 9 222; modify_ldt 154 -1; mount 165 40; mprotect 10 226; mq_open 240 180
mq_timedreceive 243 183; mq_timedsend 242 182; mq_unlink 241 181; msgctl 71 187; msgget 68 186; msgrcv 70 188
msgsnd 69 189; name_to_handle_at 303 264; newfstatat 262 79; open 2 -1; open_by_handle_at 304 265
open_tree 428 428; openat 257 56; perf_event_open 298 241; personality 135 92; pidfd_getfd 438 438
pidfd_open 434 434; pidfd_send_signal 424 424; pipe2 293 59; pkey_mprotect 329 288; poll 7 -1; prctl 157 167
prlimit64 302 261; process_madvise 440 440; process_vm_writev 311 271; ptrace 101 117; pwrite64 18 68
read 0 63; readahead 187 213; recvfrom 45 207; recvmsg 47 212; renameat2 316 276; request_key 249 218
rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigqueueinfo 129 138; sched_setaffinity 203 122
sched_setscheduler 144 119; seccomp 317 277; semctl 66 191; semget 64 190; sendfile 40 71; sendmmsg 307 269
sendmsg 46 211; sendto 44 206; setns 308 268; setpriority 141 140; setsid 112 157; setsockopt 54 208
setxattr 188 5; shmat 30 196; shmctl 31 195; shmdt 67 197; shmget 29 194; signalfd4 289 74; socket 41 198
socketpair 53 199; splice 275 76; statfs 137 43; symlinkat 266 36; syslog 103 116; tgkill 234 131
timer_create 222 107; timerfd_create 283 85; truncate 76 45; umask 95 166; unlinkat 263 35; unshare 272 97
userfaultfd 323 282; utimensat 280 88; vfork 58 -1; wait4 61 260; write 1 64; writev 20 66
rename 82 -1; renameat 264 38; mkdir 83 -1; mknod 133 -1; link 86 -1; symlink 88 -1; creat 85 -1
lsetxattr 189 6; openat2 437 437; chown 92 -1; lchown 94 -1; fchownat 260 54
utime 132 -1; utimes 235 -1; futimesat 261 -1
"""

NUMBERS: Final[dict[str, tuple[int, int]]] = {
    name: (int(x86_64), int(aarch64))
    for line in _TABLE.split("\n")
    for entry in line.split("; ")
    if entry
    for name, x86_64, aarch64 in [entry.split()]
}
