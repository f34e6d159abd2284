/* Loads an application as a locked host does and serves it: READ_FD WRITE_FD FILE. For machines that have no Python
 * here. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

int main(int count, char **arguments)
{
    FILE *file = count == 4 ? fopen(arguments[3], "rb") : NULL;
    static unsigned char content[1 << 20];
    size_t size = file == NULL ? 0 : fread(content, 1, sizeof(content), file);
    const char *why = load_image(content, size, dlopen(NULL, RTLD_NOW));

    if (why != NULL) {
        fprintf(stderr, "%s\n", why);
        return 9;
    }
    host_serve(atoi(arguments[1]), atoi(arguments[2]));
}
