/*
 * The first header that wdk-sys includes. It reads mingw-w64's header of the same name, and corrects and completes it to
 * what the WDK's declares.
 */
#ifndef KIT_NTIFS_H
#define KIT_NTIFS_H

/* The WDK's headers take the newest version of Windows where nothing else is said; mingw-w64's take Windows 7. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A000006 /* NTDDI_WIN10_RS5: Windows 10 1809 */
#endif

/*
 * The WDK declares these with DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT), which also rounds up the size of the first;
 * mingw-w64 does not. An attribute of an earlier declaration holds for the definition.
 */
struct __attribute__((aligned(16))) _DEVICE_OBJECT;
struct __attribute__((aligned(16))) _IRP;

/*
 * mingw-w64's intrinsics declare these, and its wdm.h then defines them as static, which does not count any more: every object would
 * have one for all to link with, and two objects could not be linked. The first declaration decides.
 */
static __inline__ unsigned char InterlockedBitTestAndSet(long volatile *, long);
static __inline__ unsigned char InterlockedBitTestAndReset(long volatile *, long);

/* mingw-w64 inlines a read of CR8; the WDK declares the function that ntoskrnl.exe exports. */
#define KeGetCurrentIrql KitInlineKeGetCurrentIrql
#include_next <ntifs.h>
#undef KeGetCurrentIrql

#ifdef __cplusplus
extern "C" {
#endif

NTKERNELAPI KIRQL NTAPI KeGetCurrentIrql(VOID);

/*
 * Pool: ddi/wdm/nf-wdm-exallocatepool2 and the page "POOL_FLAGS".
 */
typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_USE_QUOTA 0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ULL
#define POOL_FLAG_SESSION 0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED 0x0000000000000100ULL

NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);

/*
 * Push locks: ddi/wdm/nf-wdm-exinitializepushlock and its neighbours. The documented names are macros over these exports.
 */
#undef EX_PUSH_LOCK
#undef PEX_PUSH_LOCK
typedef ULONG_PTR EX_PUSH_LOCK, *PEX_PUSH_LOCK;

#define EX_DEFAULT_PUSH_LOCK_FLAGS 0

NTKERNELAPI VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);

/*
 * Event tracing: ddi/wdm/nf-wdm-etwsetinformation. mingw-w64's evntprov.h has the enumeration for user mode only.
 */
typedef enum _EVENT_INFO_CLASS {
  EventProviderBinaryTrackInfo = 0,
  EventProviderSetReserved1 = 1,
  EventProviderSetTraits = 2,
  EventProviderUseDescriptorType = 3,
  MaxEventInfo = 4
} EVENT_INFO_CLASS;

NTKERNELAPI NTSTATUS NTAPI EtwSetInformation(REGHANDLE RegHandle, EVENT_INFO_CLASS InformationClass,
                                             PVOID EventInformation, ULONG InformationLength);

/*
 * Clocks: ddi/wdm/nf-wdm-kequeryinterrupttimeprecise (Windows 8.1), ddi/wdm/nf-wdm-kequerysystemtimeprecise (Windows 8).
 */
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);

/*
 * The driver's own registry key: ddi/wdm/nf-wdm-ioopendriverregistrykey (Windows 10 1803).
 */
typedef enum _DRIVER_REGKEY_TYPE {
  DriverRegKeyParameters = 0,
  DriverRegKeyPersistentState = 1,
  DriverRegKeySharedPersistentState = 2
} DRIVER_REGKEY_TYPE;

NTKERNELAPI NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                                   ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE DriverRegKey);

#ifdef __cplusplus
}
#endif

#endif /* KIT_NTIFS_H */
