#include "sddl.h"

/* What is left to be read of the text, and what has been written of the descriptor. */
struct cursor {
  const uint16_t *text;
  size_t length;
  uint8_t *out;
  size_t size;
};

struct identifier {
  char name[3];
  uint8_t authority;
  uint8_t count;
  uint32_t sub_authorities[2];
};

/* Well-known identifiers: the page "SID Strings" (win32/secauthz/sid-strings) and MS-DTYP 2.4.2.4. */
static const struct identifier IDENTIFIERS[] = {
    {"WD", 1, 1, {0}},        /* Everyone */
    {"AN", 5, 1, {7}},        /* anonymous */
    {"AU", 5, 1, {11}},       /* authenticated users */
    {"RC", 5, 1, {12}},       /* restricted code */
    {"SY", 5, 1, {18}},       /* local system */
    {"LS", 5, 1, {19}},       /* local service */
    {"NS", 5, 1, {20}},       /* network service */
    {"BA", 5, 2, {32, 544}},  /* administrators */
    {"BU", 5, 2, {32, 545}},  /* users */
    {"BG", 5, 2, {32, 546}},  /* guests */
};

struct right {
  char name[3];
  uint32_t mask;
};

/*
 * The generic rights as a device object maps them: FILE_ALL_ACCESS, FILE_GENERIC_READ, FILE_GENERIC_WRITE,
 * FILE_GENERIC_EXECUTE of wdm.h.
 */
static const struct right RIGHTS[] = {
    {"GA", 0x001F01FF},
    {"GR", 0x00120089},
    {"GW", 0x00120116},
    {"GX", 0x001200A0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ACCESS_ALLOWED_ACE = 0, ACCESS_DENIED_ACE = 1 };
enum { DESCRIPTOR_HEADER = 20, ACL_HEADER = 8, ACE_HEADER = 8 };

static void put8(struct cursor *c, uint8_t value) { c->out[c->size++] = value; }

static void put16(struct cursor *c, uint16_t value) {
  put8(c, (uint8_t)value);
  put8(c, (uint8_t)(value >> 8));
}

static void put32(struct cursor *c, uint32_t value) {
  put16(c, (uint16_t)value);
  put16(c, (uint16_t)(value >> 16));
}

static int accept(struct cursor *c, const char *expected) {
  size_t n = 0;
  for (; expected[n] != '\0'; n++) {
    if (n >= c->length || c->text[n] != (uint16_t)expected[n]) {
      return 0;
    }
  }
  c->text += n;
  c->length -= n;
  return 1;
}

static uint32_t accept_rights(struct cursor *c) {
  uint32_t mask = 0;
  size_t i = 0;
  while (i < COUNT(RIGHTS)) {
    if (accept(c, RIGHTS[i].name)) {
      mask |= RIGHTS[i].mask;
      i = 0;
    } else {
      i++;
    }
  }
  return mask;
}

static const struct identifier *accept_identifier(struct cursor *c) {
  for (size_t i = 0; i < COUNT(IDENTIFIERS); i++) {
    if (accept(c, IDENTIFIERS[i].name)) {
      return &IDENTIFIERS[i];
    }
  }
  return NULL;
}

static void put_ace(struct cursor *c, uint8_t type, uint32_t mask, const struct identifier *who) {
  put8(c, type);
  put8(c, 0); /* not inherited */
  put16(c, (uint16_t)(ACE_HEADER + 8 + 4 * who->count));
  put32(c, mask);
  put8(c, 1); /* SID_REVISION */
  put8(c, who->count);
  put32(c, 0); /* the authority: six bytes, the most significant first */
  put8(c, 0);
  put8(c, who->authority);
  for (uint8_t i = 0; i < who->count; i++) {
    put32(c, who->sub_authorities[i]);
  }
}

static int accept_ace(struct cursor *c) {
  uint8_t type;
  if (accept(c, "(A;;")) {
    type = ACCESS_ALLOWED_ACE;
  } else if (accept(c, "(D;;")) {
    type = ACCESS_DENIED_ACE;
  } else {
    return 0;
  }
  uint32_t mask = accept_rights(c);
  if (mask == 0 || !accept(c, ";;;")) {
    return 0;
  }
  const struct identifier *who = accept_identifier(c);
  if (who == NULL || !accept(c, ")")) {
    return 0;
  }
  put_ace(c, type, mask, who);
  return 1;
}

/* Both headers, whose sizes and counts are known only in the end; the form is that of MS-DTYP 2.4.5 and 2.4.6. */
static void put_headers(uint8_t *descriptor, size_t size, uint16_t aces) {
  struct cursor c = {.out = descriptor};
  put8(&c, 1); /* SECURITY_DESCRIPTOR_REVISION */
  put8(&c, 0);
  put16(&c, 0x9004); /* SE_SELF_RELATIVE | SE_DACL_PROTECTED | SE_DACL_PRESENT */
  put32(&c, 0);      /* no owner, */
  put32(&c, 0);      /* no group, */
  put32(&c, 0);      /* no SACL */
  put32(&c, DESCRIPTOR_HEADER);
  put8(&c, 2); /* ACL_REVISION */
  put8(&c, 0);
  put16(&c, (uint16_t)(size - DESCRIPTOR_HEADER));
  put16(&c, aces);
  put16(&c, 0);
}

size_t sddl_to_descriptor(const uint16_t *text, size_t length, uint8_t descriptor[SDDL_MAX_DESCRIPTOR]) {
  struct cursor c = {text, length, descriptor, DESCRIPTOR_HEADER + ACL_HEADER};
  if (!accept(&c, "D:P")) {
    return 0;
  }
  uint16_t aces = 0;
  while (c.length > 0) {
    if (aces == SDDL_MAX_ACES || !accept_ace(&c)) {
      return 0;
    }
    aces++;
  }
  put_headers(descriptor, c.size, aces);
  return c.size;
}
