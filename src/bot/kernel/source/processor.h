/* What this processor can run. */
#ifndef CARRYGRID_PROCESSOR_H
#define CARRYGRID_PROCESSOR_H

typedef struct {
    int v3;  /* the code for x86-64-v3 */
    int sha; /* the instructions for SHA-256 */
} Processor;

/* Asked once, while the library is loaded: each answer takes tens of microseconds on a virtual machine. */
extern Processor carrygrid_processor;
#endif
