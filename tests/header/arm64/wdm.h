/*
 * Stands for wdm.h on ARM64, for which mingw-w64 has none: the basic types, from its user-mode headers. What depends on the
 * processor, the size of a pointer and the calling convention, is the same there.
 */
#ifndef _WDMDDK_
#define _WDMDDK_

#include <windef.h>
#include <winbase.h>
#include <winioctl.h>

typedef LONG NTSTATUS;

#define NT_SUCCESS(Status) ((Status) >= 0)

#endif /* _WDMDDK_ */
