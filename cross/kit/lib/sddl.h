/*
 * The subset of the security descriptor definition language that device objects use: the page "SDDL for Device Objects"
 * (kernel/sddl-for-device-objects).
 */
#ifndef KIT_SDDL_H
#define KIT_SDDL_H

#include <stddef.h>
#include <stdint.h>

/* Room for SDDL_MAX_ACES entries, each with the longest identifier that has a two-letter name. */
#define SDDL_MAX_ACES 16
#define SDDL_MAX_DESCRIPTOR (20 + 8 + SDDL_MAX_ACES * (8 + 16))

/*
 * Translates `length` UTF-16 units at `text` into a self-relative security descriptor with a protected DACL and nothing else.
 * Returns its size in bytes, or 0 where the text is not of the form
 *
 *     D:P(A or D;;rights;;;identifier)...
 *
 * with one or more of the rights GA GR GW GX in each entry: what cannot be understood is refused, never guessed.
 */
size_t sddl_to_descriptor(const uint16_t *text, size_t length, uint8_t descriptor[SDDL_MAX_DESCRIPTOR]);

#endif /* KIT_SDDL_H */
