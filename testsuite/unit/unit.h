/*
 * unit.h - what every cmocka program includes, in the order cmocka wants.
 */
#ifndef FED_UNIT_H
#define FED_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
