/* Serves one native application without a lock: for AddressSanitizer, gdb and coverage. NOT ENFORCED.
 *
 *     tee_host READ_FD WRITE_FD FILE NAME PANIC_AT NO_MEMORY_AT CRASHES
 *
 * The dynamic loader loads FILE, as it does any library: debuggers and sanitizers know it then. CRASHES: 1 to report
 * them in words, 0 to leave them to whoever watches this process. */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

enum { ARGUMENTS = 8, USAGE = 2 };

static void *library;

/* What the loader made of the file: of all loaded objects the one whose dynamic section is the library's. */
static int find_segments(struct dl_phdr_info *info, size_t size, void *found)
{
    const struct link_map *own = found;
    uintptr_t start = 0, end = 0, page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    if (info->dlpi_addr != own->l_addr || strcmp(info->dlpi_name, own->l_name) != 0)
        return 0;
    image.base = (uint8_t *)own->l_addr;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *program = &info->dlpi_phdr[i];

        if (program->p_type != PT_LOAD || image.segment_count == MAX_SEGMENTS)
            continue;
        image.segments[image.segment_count++] = (struct segment){
            .start = image.base + program->p_vaddr,
            .size = program->p_memsz,
            .readable = (program->p_flags & PF_R) != 0,
            .writable = (program->p_flags & PF_W) != 0,
            .executable = (program->p_flags & PF_X) != 0,
        };
        if ((program->p_flags & PF_W) != 0) {
            start = (uintptr_t)image.base + program->p_vaddr;
            end = start + program->p_memsz;
        }
    }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *program = &info->dlpi_phdr[i];
        uintptr_t last = ((uintptr_t)image.base + program->p_vaddr + program->p_memsz) / page * page;

        /* Where nothing else is written, that part is padded to a page, and so ends after its segment. */
        if (program->p_type == PT_GNU_RELRO && last > start)
            start = last < end ? last : end;
    }
    image.globals = (uint8_t *)start;
    image.globals_size = end - start;
    return 1;
}

static void *exported(const char *name)
{
    return dlsym(library, name);
}

static const char *load(const char *path)
{
    struct link_map *own = NULL;

    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL || dlinfo(library, RTLD_DI_LINKMAP, &own) != 0)
        return dlerror();
    if (dl_iterate_phdr(find_segments, own) != 1)
        return "its segments are not found";
    return image_complete(exported);
}

int main(int count, char **arguments)
{
    const char *why;

    if (count != ARGUMENTS) {
        fprintf(stderr, "tee_host: it is started by tee-sim run with --asan, --gdb or --coverage\n");
        return USAGE;
    }
    config.reports = 1;
    config.unlocked = 1;
    config.panic_at = strtoull(arguments[5], NULL, 10);
    config.no_memory_at = strtoull(arguments[6], NULL, 10);
    snprintf(config.name, sizeof(config.name), "%s", arguments[4]);
    why = load(arguments[3]);
    if (why != NULL) {
        fprintf(stderr, "tee_host: %s: %s\n", arguments[3], why);
        return EXIT_PROTOCOL;
    }
    if (strcmp(arguments[7], "1") == 0 && !crash_handler_install())
        return EXIT_PROTOCOL;
    host_serve(atoi(arguments[1]), atoi(arguments[2]));
}
