/* What `clean_target.c` offers to other drivers, and how they reach it. */
#ifndef TARGET_H
#define TARGET_H

#include <ntifs.h>

#define TARGET_NAME L"\\Device\\Target"

/* Answers with its input, backwards. */
#define IOCTL_TARGET_REVERSE ((ULONG)CTL_CODE(0x8ACD, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Pends until it is released or cancelled. */
#define IOCTL_TARGET_WAIT ((ULONG)CTL_CODE(0x8ACD, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Completes everything that waits. */
#define IOCTL_TARGET_RELEASE ((ULONG)CTL_CODE(0x8ACD, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Tells who has sent it: struct target_caller. */
#define IOCTL_TARGET_CALLER ((ULONG)CTL_CODE(0x8ACD, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Internal only: hands out struct target_interface. */
#define IOCTL_TARGET_INTERFACE ((ULONG)CTL_CODE(0x8ACD, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS))

struct target_caller {
  ULONG requestor;
  ULONG current;
  ULONG requestor_mode;
  ULONG previous_mode;
};

/* Functions to be called directly. `context` is referenced for who gets it. */
struct target_interface {
  PVOID context;
  VOID(NTAPI *reference)(PVOID context);
  VOID(NTAPI *dereference)(PVOID context);
  ULONG(NTAPI *add)(PVOID context, ULONG one, ULONG other);
};

#endif /* TARGET_H */
