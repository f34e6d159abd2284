#ifdef IDIOMS_TOP
#error "cppflags-y is for the sources of its own folder"
#endif
#define INNER 7
