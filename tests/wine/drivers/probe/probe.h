/*
 * The probe: a driver that uses each service of the kernel in one check or more, and tells what is not as Windows documents it.
 *
 * Every wait for something that ought to happen ends after PATIENCE, so that a service that does nothing is a failure, not a
 * hang.
 */
#ifndef PROBE_H
#define PROBE_H

#include "../common/device.h"

/* What IOCTL_RUN returns; tests/wine/probe.rs reads it. */
struct report {
  /* How many expectations were met. */
  ULONG met;
  /* The line of the first one that was not, or zero. */
  ULONG line;
  CHAR file[32];
  CHAR text[216];
};

/* What a check works with. */
struct check {
  struct report *report;
  PDEVICE_OBJECT device;
  /* The request that runs the check. */
  PIRP irp;
  /* The process that the caller says it is. */
  ULONG process_id;
  PCUNICODE_STRING registry_path;
};

typedef VOID check_routine(struct check *check);

/* Notes the first expectation that is not met. */
BOOLEAN expect(struct check *check, BOOLEAN met, PCSTR text, PCSTR file, ULONG line);
#define EXPECT(condition) expect(check, !!(condition), #condition, __FILE_NAME__, __LINE__)
/* For what the rest of a check can't do without. */
#define REQUIRE(condition)                                                                                                     \
  do {                                                                                                                         \
    if (!EXPECT(condition)) {                                                                                                  \
      return;                                                                                                                  \
    }                                                                                                                          \
  } while (0)

/*
 * The object type in one of the kernel's variables. Drivers write `*IoFileObjectType`, since the WDK's ntoskrnl.lib gives them
 * the variable's address by that name; by mingw-w64's declaration it is the variable itself.
 */
#define OBJECT_TYPE_IN(variable) ((POBJECT_TYPE)(variable))
/* ntoskrnl.exe exports it, and the WDK's wdm.h declares it; mingw-w64's does not. */
extern POBJECT_TYPE NTSYSAPI *IoDeviceObjectType;

/* Times in units of 100 nanoseconds; negative ones are counted from now on. */
#define MILLISECONDS(count) (10000LL * (count))
#define PATIENCE_SECONDS 10

/* Waits for an object: whether it is signalled within PATIENCE, or within no time. */
BOOLEAN is_signalled_soon(PVOID object);
BOOLEAN is_signalled_now(PVOID object);
/* Waits until `*counter` is at least `value`: whether it is, within PATIENCE. */
BOOLEAN reaches(volatile LONG *counter, LONG value);
VOID delay(LONG milliseconds);

/* A system thread, to be waited for and dereferenced; NULL if there is none. */
PVOID start_thread(PKSTART_ROUTINE routine, PVOID context);
/* Waits for its end, and dereferences it. */
BOOLEAN join_thread(PVOID thread);

/* Two threads that run the same routine at once, to its end. */
BOOLEAN run_two(PKSTART_ROUTINE routine, PVOID context);

/* The checks, by the file that they are in. */
check_routine clocks, requestors;
check_routine callbacks, callback_waits;
check_routine dpcs, timer_dpcs, timer_feeds_work_item, timer_signals;
check_routine device_pointers, device_pointers_by_link, holds_partner, releases_partner;
check_routine irp_cancelled, irp_completion, irp_control, irp_control_statuses, irp_internal,
    irp_protected_completion;
check_routine critical_regions, events, irql, push_locks, spin_locks, waits_for_several;
check_routine objects, pool, routine_lookup, security;
check_routine queue_cancel, queue_extended, queue_order;
check_routine registry;
check_routine rundown, rundown_waits;
check_routine threads, work_items;
check_routine tracing, tracing_unheard;

#endif /* PROBE_H */
