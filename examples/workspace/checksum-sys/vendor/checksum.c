/* Fletcher-16. */
#include <stddef.h>
#include <stdint.h>

uint16_t example_checksum(const uint8_t *bytes, size_t length) {
    uint16_t low = 0, high = 0;
    for (size_t i = 0; i < length; i++) {
        low = (uint16_t)((low + bytes[i]) % 255);
        high = (uint16_t)((high + low) % 255);
    }
    return (uint16_t)(high << 8 | low);
}
