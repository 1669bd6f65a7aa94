# X_AC_SANITIZERS
#
# --enable-sanitizers[=LIST]: build everything with the named sanitizers
# (default address,undefined; "thread" cannot be combined with address).
AC_DEFUN([X_AC_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
      [build with sanitizers (address,undefined)])],
    [], [enable_sanitizers=no])
  AS_CASE([$enable_sanitizers],
    [yes], [x_ac_sanitizers=address,undefined],
    [x_ac_sanitizers=$enable_sanitizers])
  SAN_FLAGS=
  AS_IF([test "x$x_ac_sanitizers" != xno],
    [SAN_FLAGS="-fsanitize=$x_ac_sanitizers -fno-sanitize-recover=all"
     SAN_FLAGS="$SAN_FLAGS -fno-omit-frame-pointer"])
  AC_SUBST([SAN_FLAGS])
])
