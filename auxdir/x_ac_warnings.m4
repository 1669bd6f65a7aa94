# X_AC_WARNINGS
#
# --enable-werror: turn the warnings that every build asks for into errors.
# Off by default, so that a newer compiler's new warning does not stop an
# administrator; ./check turns it on.
AC_DEFUN([X_AC_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
    [], [enable_werror=no])
  WARN_CFLAGS="-Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes"
  WARN_CFLAGS="$WARN_CFLAGS -Wmissing-prototypes -Wpointer-arith -Wformat=2"
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])
