/* Maps the ELF file of a TA in a process that is about to be locked, from exactly the bytes that were measured.
 *
 * Not dlopen: that trusts its file, follows whatever offset a relocation names, and so would run what the TA's author
 * wants before the lock. Here each offset is held against the file or the image before it is used, what is not known is
 * refused, and nothing of the file is called. ELF: System V ABI, gABI 4.1; relocations of x86-64 psABI, table 4.10, and
 * of ELF for the Arm 64-bit Architecture, section 5.7. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

#define MAX_IMAGE_BYTES (64u << 20)
#define MAX_SYMBOLS (1u << 20)

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64, RELATIVE = R_X86_64_RELATIVE, ABSOLUTE = R_X86_64_64, DATA = R_X86_64_GLOB_DAT,
       JUMP = R_X86_64_JUMP_SLOT };
#else
enum { OWN_MACHINE = EM_AARCH64, RELATIVE = R_AARCH64_RELATIVE, ABSOLUTE = R_AARCH64_ABS64, DATA = R_AARCH64_GLOB_DAT,
       JUMP = R_AARCH64_JUMP_SLOT };
#endif

/* The file, and what its dynamic segment names; addresses of it are offsets in the image. */
static struct {
    const uint8_t *elf;
    size_t size;
    const Elf64_Ehdr *head;
    const Elf64_Phdr *programs;
    size_t image_size;
    uint64_t symbols, strings, strings_size, rela, rela_size, jumps, jumps_size;
    size_t symbol_count;
    void *runtime;
    size_t page;
} file;

static size_t down(size_t value)
{
    return value / file.page * file.page;
}

static size_t up(size_t value)
{
    return down(value + file.page - 1);
}

/* The whole range in one segment that was mapped, and readable; or writable too. */
static bool in_image(uint64_t at, uint64_t size, bool write)
{
    for (unsigned i = 0; i < file.head->e_phnum; i++) {
        const Elf64_Phdr *program = &file.programs[i];

        bool allowed = (program->p_flags & PF_R) != 0 && (!write || (program->p_flags & PF_W) != 0);

        if (program->p_type == PT_LOAD && allowed && at >= program->p_vaddr &&
            at - program->p_vaddr <= program->p_memsz && size <= program->p_memsz - (at - program->p_vaddr))
            return true;
    }
    return false;
}

static const char *check_head(void)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)file.elf;
    uint64_t end = 0;

    if (file.size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB || head->e_type != ET_DYN ||
        head->e_machine != OWN_MACHINE)
        return "it is no shared object for this machine";
    if (head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff % 8 != 0 || head->e_phoff > file.size ||
        head->e_phnum > (file.size - head->e_phoff) / sizeof(Elf64_Phdr))
        return "its program headers lie outside of it";
    file.head = head;
    file.programs = (const Elf64_Phdr *)(file.elf + head->e_phoff);
    for (unsigned i = 0; i < head->e_phnum; i++) {
        const Elf64_Phdr *program = &file.programs[i];

        if (program->p_type == PT_TLS)
            return "it has thread-local variables";
        if (program->p_type != PT_LOAD)
            continue;
        if ((program->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
            return "a segment is writable and executable";
        if (program->p_offset > file.size || program->p_filesz > file.size - program->p_offset ||
            program->p_filesz > program->p_memsz || program->p_memsz > MAX_IMAGE_BYTES ||
            program->p_vaddr > MAX_IMAGE_BYTES || program->p_offset % file.page != program->p_vaddr % file.page ||
            down(program->p_vaddr) < end)
            return "a segment lies outside of it, or on another one";
        end = up(program->p_vaddr + program->p_memsz);
    }
    file.image_size = end;
    return end == 0 ? "it has nothing to load" : NULL;
}

static int protection(const Elf64_Phdr *program)
{
    return ((program->p_flags & PF_R) != 0 ? PROT_READ : 0) | ((program->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((program->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

static const char *map_segments(int fd)
{
    uint8_t *base = mmap(NULL, file.image_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return "no memory for it";
    image.base = base;
    for (unsigned i = 0; i < file.head->e_phnum; i++) {
        const Elf64_Phdr *program = &file.programs[i];
        uint8_t *start;
        size_t from_file, whole;

        if (program->p_type != PT_LOAD || program->p_memsz == 0)
            continue;
        start = base + down(program->p_vaddr);
        from_file = program->p_filesz == 0 ? 0 : up(program->p_vaddr % file.page + program->p_filesz);
        whole = up(program->p_vaddr % file.page + program->p_memsz);
        if (from_file > 0 && mmap(start, from_file, protection(program), MAP_PRIVATE | MAP_FIXED, fd,
                                  (off_t)down(program->p_offset)) == MAP_FAILED)
            return "a segment cannot be mapped";
        if (whole > from_file && mmap(start + from_file, whole - from_file, protection(program),
                                      MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            return "a segment cannot be mapped";
        if ((program->p_flags & PF_W) != 0 && from_file > 0) {
            uint8_t *zero = base + program->p_vaddr + program->p_filesz;

            memset(zero, 0, (size_t)(start + from_file - zero));
        }
        if (image.segment_count == MAX_SEGMENTS)
            return "it has too many segments";
        image.segments[image.segment_count++] = (struct segment){
            .start = base + program->p_vaddr,
            .size = program->p_memsz,
            .readable = (program->p_flags & PF_R) != 0,
            .writable = (program->p_flags & PF_W) != 0,
            .executable = (program->p_flags & PF_X) != 0,
        };
    }
    return NULL;
}

/* How many symbols there are, by a table of the GNU kind: the end of the chain that begins last. */
static bool count_by_gnu_hash(uint64_t table)
{
    const uint32_t *head = (const uint32_t *)(image.base + table), *words;
    uint64_t buckets, chains, last = 0;

    if (table == 0 || table % 8 != 0 || !in_image(table, 16, false))
        return false;
    buckets = table + 16 + (uint64_t)head[2] * 8;
    chains = buckets + (uint64_t)head[0] * 4;
    if (!in_image(buckets, (uint64_t)head[0] * 4, false))
        return false;
    words = (const uint32_t *)(image.base + buckets);
    for (uint32_t i = 0; i < head[0]; i++)
        last = words[i] > last ? words[i] : last;
    if (last < head[1])
        return false;
    do {
        if (!in_image(chains + (last - head[1]) * 4, 4, false))
            return false;
    } while ((*(const uint32_t *)(image.base + chains + (last++ - head[1]) * 4) & 1) == 0);
    file.symbol_count = (size_t)last;
    return true;
}

static const char *read_dynamic(void)
{
    const Elf64_Phdr *program = NULL;
    const Elf64_Dyn *entry;
    uint64_t hash = 0, gnu_hash = 0, jump_kind = DT_RELA;
    uint64_t symbol_size = sizeof(Elf64_Sym), rela_item = sizeof(Elf64_Rela);

    for (unsigned i = 0; i < file.head->e_phnum; i++)
        if (file.programs[i].p_type == PT_DYNAMIC)
            program = &file.programs[i];
    if (program == NULL || program->p_vaddr % 8 != 0 || !in_image(program->p_vaddr, program->p_memsz, false))
        return "it has no dynamic segment";
    entry = (const Elf64_Dyn *)(image.base + program->p_vaddr);
    for (size_t left = program->p_memsz / sizeof(*entry); left > 0 && entry->d_tag != DT_NULL; left--, entry++) {
        uint64_t value = entry->d_un.d_val;

        switch (entry->d_tag) {
        case DT_HASH: hash = value; break;
        case DT_GNU_HASH: gnu_hash = value; break;
        case DT_SYMTAB: file.symbols = value; break;
        case DT_STRTAB: file.strings = value; break;
        case DT_STRSZ: file.strings_size = value; break;
        case DT_SYMENT: symbol_size = value; break;
        case DT_RELA: file.rela = value; break;
        case DT_RELASZ: file.rela_size = value; break;
        case DT_RELAENT: rela_item = value; break;
        case DT_JMPREL: file.jumps = value; break;
        case DT_PLTRELSZ: file.jumps_size = value; break;
        case DT_PLTREL: jump_kind = value; break;
        case DT_REL:
        case DT_TEXTREL:
        case DT_INIT:
        case DT_FINI:
        case DT_INIT_ARRAY:
        case DT_FINI_ARRAY:
        case DT_PREINIT_ARRAY:
        case 36: /* DT_RELR */
            return "its dynamic segment wants what is not done here";
        default: break;
        }
    }
    if (hash != 0 && hash % 4 == 0 && in_image(hash, 8, false))
        file.symbol_count = ((const uint32_t *)(image.base + hash))[1];
    else if (!count_by_gnu_hash(gnu_hash))
        return "it has no table of symbols";
    if (symbol_size != sizeof(Elf64_Sym) || rela_item != sizeof(Elf64_Rela) || jump_kind != DT_RELA ||
        file.symbol_count > MAX_SYMBOLS || file.symbols % 8 != 0 || file.rela % 8 != 0 || file.jumps % 8 != 0 ||
        !in_image(file.symbols, file.symbol_count * sizeof(Elf64_Sym), false) || file.strings_size == 0 ||
        !in_image(file.strings, file.strings_size, false) || image.base[file.strings + file.strings_size - 1] != 0 ||
        (file.rela_size > 0 && !in_image(file.rela, file.rela_size, false)) ||
        (file.jumps_size > 0 && !in_image(file.jumps, file.jumps_size, false)))
        return "a table of it lies outside of it";
    return NULL;
}

static const Elf64_Sym *symbol_at(size_t index)
{
    return (const Elf64_Sym *)(image.base + file.symbols) + index;
}

static const char *name_of(const Elf64_Sym *symbol)
{
    return symbol->st_name < file.strings_size ? (const char *)image.base + file.strings + symbol->st_name : "";
}

/* Where a symbol of this index is. Returns false for one that is nowhere. */
static bool address_of(size_t index, uint64_t *address)
{
    const Elf64_Sym *symbol;
    void *outside;

    if (index >= file.symbol_count)
        return false;
    symbol = symbol_at(index);
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC || ELF64_ST_TYPE(symbol->st_info) == STT_TLS)
        return false;
    if (symbol->st_shndx != SHN_UNDEF) {
        *address = (uint64_t)(uintptr_t)image.base + symbol->st_value;
        return symbol->st_value <= file.image_size;
    }
    outside = name_of(symbol)[0] == 0 ? NULL : dlsym(file.runtime, name_of(symbol));
    *address = (uint64_t)(uintptr_t)outside;
    return outside != NULL || ELF64_ST_BIND(symbol->st_info) == STB_WEAK;
}

static const char *relocate(uint64_t table, uint64_t size)
{
    const Elf64_Rela *rela = (const Elf64_Rela *)(image.base + table);

    for (size_t left = size / sizeof(*rela); left > 0; left--, rela++) {
        uint64_t type = ELF64_R_TYPE(rela->r_info), value = 0;

        if (type == 0)
            continue;
        if (!in_image(rela->r_offset, 8, true))
            return "a relocation writes outside of what is writable";
        if (type == RELATIVE)
            value = (uint64_t)(uintptr_t)image.base;
        else if (type != ABSOLUTE && type != DATA && type != JUMP)
            return "it has a relocation of another kind";
        else if (!address_of(ELF64_R_SYM(rela->r_info), &value))
            return "it needs a function that is not there";
        value += (uint64_t)rela->r_addend;
        memcpy(image.base + rela->r_offset, &value, sizeof(value));
    }
    return NULL;
}

/* What may be written after relocation; there is one such segment, or none. */
static const char *protect(void)
{
    uint64_t start = 0, end = 0;

    for (unsigned i = 0; i < file.head->e_phnum; i++) {
        const Elf64_Phdr *program = &file.programs[i];

        if (program->p_type != PT_LOAD || (program->p_flags & PF_W) == 0)
            continue;
        if (end != 0)
            return "it has two writable segments";
        start = program->p_vaddr;
        end = program->p_vaddr + program->p_memsz;
    }
    for (unsigned i = 0; i < file.head->e_phnum; i++) {
        const Elf64_Phdr *program = &file.programs[i];
        uint64_t last = down(program->p_vaddr + program->p_memsz);

        if (program->p_type != PT_GNU_RELRO || last <= down(program->p_vaddr))
            continue;
        if (!in_image(program->p_vaddr, 1, true) || program->p_vaddr != start || last > up(end))
            return "what is read-only after relocation does not begin its writable segment";
        if (mprotect(image.base + down(program->p_vaddr), (size_t)(last - down(program->p_vaddr)), PROT_READ) != 0)
            return "a segment cannot be protected";
        start = last;
    }
    image.globals = image.base + start;
    image.globals_size = end > start ? (size_t)(end - start) : 0;
    return NULL;
}

static void *exported(const char *name)
{
    for (size_t i = 0; i < file.symbol_count; i++) {
        const Elf64_Sym *symbol = symbol_at(i);

        if (symbol->st_shndx != SHN_UNDEF && symbol->st_value < file.image_size &&
            ELF64_ST_TYPE(symbol->st_info) != STT_GNU_IFUNC && strcmp(name_of(symbol), name) == 0)
            return image.base + symbol->st_value;
    }
    return NULL;
}

static int sealed_copy(void)
{
    int fd = memfd_create("ta", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    for (size_t at = 0; at < file.size;) {
        ssize_t put = write(fd, file.elf + at, file.size - at);

        if (put <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)put;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
        return fd;
    close(fd);
    return -1;
}

static int compare(const void *one, const void *other)
{
    return *(const unsigned char *)one - *(const unsigned char *)other;
}

/* qsort asks for the size of this machine's memory when it first sorts more than a kilobyte: no call for that is left
 * after the lock. */
static void warm_up(void)
{
    static unsigned char bytes[4096];

    qsort(bytes, sizeof(bytes), 1, compare);
}

const char *load_image(const uint8_t *elf, size_t size, void *runtime)
{
    const char *why;
    int fd;

    warm_up();
    file.elf = elf;
    file.size = size;
    file.runtime = runtime;
    file.page = (size_t)sysconf(_SC_PAGESIZE);
    why = check_head();
    if (why != NULL)
        return why;
    fd = sealed_copy();
    if (fd < 0)
        return "no memory for a copy of it";
    why = map_segments(fd);
    close(fd);
    if (why == NULL)
        why = read_dynamic();
    if (why == NULL)
        why = relocate(file.rela, file.rela_size);
    if (why == NULL)
        why = relocate(file.jumps, file.jumps_size);
    if (why == NULL)
        why = protect();
    return why == NULL ? image_complete(exported) : why;
}
