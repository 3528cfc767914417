/* Run-down protection. */
#include "probe.h"

struct guarded {
  EX_RUNDOWN_REF reference;
  volatile LONG ended;
};

VOID rundown(struct check *check) {
  EX_RUNDOWN_REF reference;
  ExInitializeRundownProtection(&reference);
  EXPECT(ExAcquireRundownProtection(&reference) && ExAcquireRundownProtection(&reference));
  ExReleaseRundownProtection(&reference);
  ExReleaseRundownProtection(&reference);
  ExWaitForRundownProtectionRelease(&reference);
  EXPECT(!ExAcquireRundownProtection(&reference));
  ExRundownCompleted(&reference);
  EXPECT(!ExAcquireRundownProtection(&reference));
  ExReInitializeRundownProtection(&reference);
  EXPECT(ExAcquireRundownProtection(&reference));
  ExReleaseRundownProtection(&reference);
  ExWaitForRundownProtectionRelease(&reference);
}

static VOID NTAPI run_down(PVOID context) {
  struct guarded *guarded = context;
  ExWaitForRundownProtectionRelease(&guarded->reference);
  guarded->ended = 1;
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID rundown_waits(struct check *check) {
  struct guarded guarded = {0};
  ExInitializeRundownProtection(&guarded.reference);
  EXPECT(ExAcquireRundownProtection(&guarded.reference) && ExAcquireRundownProtection(&guarded.reference));
  PVOID thread = start_thread(run_down, &guarded);
  /* From the moment somebody waits, nobody is let in; then it is known that the thread does. */
  LONG waited = 0;
  while (ExAcquireRundownProtection(&guarded.reference) && waited++ < PATIENCE_SECONDS * 1000) {
    ExReleaseRundownProtection(&guarded.reference);
    delay(1);
  }
  EXPECT(!ExAcquireRundownProtection(&guarded.reference));
  ExReleaseRundownProtection(&guarded.reference);
  delay(10);
  EXPECT(!guarded.ended);
  ExReleaseRundownProtection(&guarded.reference);
  EXPECT(join_thread(thread) && guarded.ended);
}
