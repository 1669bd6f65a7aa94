# X_AC_FUZZING
#
# --enable-fuzzing: build the libFuzzer targets of testsuite/fuzz. Needs clang,
# and brings address and undefined sanitizers with it.
AC_DEFUN([X_AC_FUZZING], [
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [build libFuzzer targets (clang)])],
    [], [enable_fuzzing=no])
  x_ac_fuzzing=$enable_fuzzing
  FUZZ_LDFLAGS=
  AS_IF([test "x$enable_fuzzing" = xyes], [
    SAN_FLAGS="-fsanitize=address,undefined,fuzzer-no-link"
    SAN_FLAGS="$SAN_FLAGS -fno-sanitize-recover=all -fno-omit-frame-pointer"
    FUZZ_LDFLAGS="-fsanitize=fuzzer"
    AC_MSG_CHECKING([whether $CC links libFuzzer])
    x_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=fuzzer"
    AC_LINK_IFELSE([AC_LANG_SOURCE([
      #include <stddef.h>
      #include <stdint.h>
      int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);
      int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
      { (void) d; (void) n; return 0; }])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([--enable-fuzzing needs clang with libFuzzer: try CC=clang])])
    CFLAGS=$x_save_CFLAGS
  ])
  AC_SUBST([FUZZ_LDFLAGS])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
