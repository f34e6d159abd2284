#!/bin/sh
# GNU ld 2.40 with gcc 12.2 (Debian 12), in a shared object: a function that --wrap puts in the place of another is
# thrown away by link-time optimization where a version script makes it local, and the call goes to address 0. No word,
# exit status 0; each of the two options alone is right. What is wrapped is better compiled with -fno-lto: then it stays.
# Packages of Debian 12 are unpacked, not installed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
  binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libctf0=2.40-2 libctf-nobfd0=2.40-2 libgprofng0=2.40-2 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH
mkdir tools
for tool in as ld objdump; do ln -s "$work/root/usr/bin/x86_64-linux-gnu-$tool" "tools/$tool"; done
PATH=$work/tools:$PATH
gcc() {
  "$work/root/usr/bin/x86_64-linux-gnu-gcc-12" -B "$work/tools" "$@"
}
ld --version | head -n 1
gcc --version | head -n 1
[ "$(gcc -dumpfullversion)" = 12.2.0 ]
case $(ld --version | head -n 1) in *" 2.40") ;; *) exit 1 ;; esac
cat > caller.c << 'C'
char *strdup(const char *text);
int caller(void);
int caller(void)
{
    return strdup("x")[0];
}
C
cat > wrapper.c << 'C'
static char copy[2];
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    copy[0] = text[0];
    return copy;
}
C
echo '{ global: caller; local: *; };' > local.map

target() {  # where the first call of `caller` goes
  objdump -d --no-show-raw-insn "$1" | sed -n '/<caller>:/,/ret/s/.*call *\([0-9a-f]*\) .*/\1/p' | head -n 1
}
build() {  # NAME, flags of wrapper.c, other options
  name=$1 flags=$2
  shift 2
  gcc -O2 -fPIC $flags -c wrapper.c -o wrapper.o
  gcc -O2 -fPIC -flto -c caller.c -o caller.o
  gcc -nostdlib -O2 -fPIC -flto -shared caller.o wrapper.o -Wl,--wrap=strdup "$@" -o "$name.so"
  echo "$name: caller calls 0x$(target "$name.so")"
}
build optimized -flto
build both -flto -Wl,--version-script=local.map
build kept -fno-lto -Wl,--version-script=local.map
[ "$(target optimized.so)" != 0 ]
[ "$(target both.so)" = 0 ]
[ "$(target kept.so)" != 0 ]
