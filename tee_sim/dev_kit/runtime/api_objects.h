/* What the functions of objects share, in either version. */
#ifndef TEE_SIM_API_OBJECTS_H
#define TEE_SIM_API_OBJECTS_H

#include "tee_internal_api.h"

void got_object_info(tee13_ObjectInfo *info); /* takes the seven numbers of an answer */
void object_info_to_11(const tee13_ObjectInfo *from, tee11_ObjectInfo *to);

#endif
