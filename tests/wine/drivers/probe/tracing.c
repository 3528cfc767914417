/* Event tracing. */
#include "probe.h"

/* {2D0D2A5C-2E9B-4F7B-9A57-0F6D7B1C9A11} */
static const GUID provider = {0x2D0D2A5C, 0x2E9B, 0x4F7B, {0x9A, 0x57, 0x0F, 0x6D, 0x7B, 0x1C, 0x9A, 0x11}};

struct enabled {
  LONG calls;
  ULONG control;
  UCHAR level;
  ULONGLONG keywords;
};

static VOID NTAPI enable(LPCGUID source, ULONG control, UCHAR level, ULONGLONG any, ULONGLONG all, PEVENT_FILTER_DESCRIPTOR filter,
                         PVOID context) {
  struct enabled *enabled = context;
  UNREFERENCED_PARAMETER(source);
  UNREFERENCED_PARAMETER(all);
  UNREFERENCED_PARAMETER(filter);
  enabled->calls++;
  enabled->control = control;
  enabled->level = level;
  enabled->keywords = any;
}

static EVENT_DESCRIPTOR descriptor(USHORT id) {
  EVENT_DESCRIPTOR event = {.Id = id, .Version = 1, .Channel = 11, .Level = 4, .Keyword = 0x10};
  return event;
}

/* Nobody listens: everything succeeds, and nothing is enabled. */
VOID tracing_unheard(struct check *check) {
  struct enabled enabled = {0};
  REGHANDLE handle = 0;
  EVENT_DESCRIPTOR event = descriptor(7);
  REQUIRE(EtwRegister(&provider, enable, &enabled, &handle) == STATUS_SUCCESS && handle != 0);
  EXPECT(enabled.calls == 0);
  EXPECT(!EtwProviderEnabled(handle, 4, 0x10) && !EtwEventEnabled(handle, &event));
  EXPECT(EtwWrite(handle, &event, NULL, 0, NULL) == STATUS_SUCCESS);
  EXPECT(EtwUnregister(handle) == STATUS_SUCCESS);
  EXPECT(EtwUnregister(handle) != STATUS_SUCCESS);
  EXPECT(EtwWrite(handle, &event, NULL, 0, NULL) == STATUS_INVALID_HANDLE);
}

/* A session listens: the test has made one, and reads what was written. */
VOID tracing(struct check *check) {
  struct enabled enabled = {0};
  REGHANDLE handle = 0;
  EVENT_DESCRIPTOR first = descriptor(8), second = descriptor(9);
  EVENT_DATA_DESCRIPTOR data[2];
  UCHAR traits[] = {8, 0, 'P', 'r', 'o', 'b', 'e', 0};
  EventDataDescCreate(&data[0], "one", 3);
  EventDataDescCreate(&data[1], "three", 5);
  data[1].Reserved = 2;
  REQUIRE(EtwRegister(&provider, enable, &enabled, &handle) == STATUS_SUCCESS && handle != 0);
  EXPECT(enabled.calls == 1 && enabled.control == 1 && enabled.level == 0xFF && enabled.keywords == ~0ULL);
  EXPECT(EtwSetInformation(handle, EventProviderSetTraits, traits, sizeof traits) == STATUS_SUCCESS);
  EXPECT(EtwProviderEnabled(handle, 4, 0x10) && EtwEventEnabled(handle, &first));
  EXPECT(EtwWrite(handle, &first, NULL, 1, data) == STATUS_SUCCESS);
  EXPECT(EtwWriteTransfer(handle, &second, NULL, NULL, 2, data) == STATUS_SUCCESS);
  EXPECT(EtwUnregister(handle) == STATUS_SUCCESS);
}
