# X_AC_SLURM_SRC
#
# Finds and verifies the configured Slurm source tree that the plugin and
# fed_flurmd are compiled against: a plugin is loaded only by a slurmctld of
# exactly its own release (major, minor and micro), so a tree of another
# version than the installed slurmctld is refused here, not at load time.
#
# Sets slurm_src, slurm_version, SLURM_CPPFLAGS, SLURM_LIBDIR, plugindir and
# the conditional WITH_SLURM.
AC_DEFUN([X_AC_SLURM_SRC], [
  AC_ARG_WITH([slurmsrc],
    [AS_HELP_STRING([--with-slurmsrc=DIR],
      [Slurm source tree of the slurmctld to build for; without it
       (--without-slurmsrc) only the FLURM side is built])],
    [], [with_slurmsrc=unset])
  AC_ARG_WITH([slurmbuild],
    [AS_HELP_STRING([--with-slurmbuild=DIR],
      [where that tree was configured, if not in place])],
    [], [with_slurmbuild=])
  AC_ARG_WITH([slurmctld],
    [AS_HELP_STRING([--with-slurmctld=PATH],
      [the slurmctld that will load the plugin @<:@PATH search@:>@])],
    [], [with_slurmctld=])
  AC_ARG_WITH([plugindir],
    [AS_HELP_STRING([--with-plugindir=DIR],
      [where Slurm looks for plugins @<:@found beside libslurmfull.so@:>@])],
    [], [with_plugindir=])
  AC_ARG_ENABLE([version-check],
    [AS_HELP_STRING([--disable-version-check],
      [accept a tree of another version than slurmctld's])],
    [], [enable_version_check=yes])

  AS_CASE([$with_slurmsrc],
    [unset|yes], [AC_MSG_ERROR([which Slurm is this for? Give --with-slurmsrc=DIR, a configured source tree of it ("auxdir/get-slurm-tree" fetches and configures Debian's and prints DIR), or --without-slurmsrc for the FLURM side alone])],
    [no], [slurm_src=],
    [slurm_src=`cd "$with_slurmsrc" 2>/dev/null && pwd`
     AS_IF([test -z "$slurm_src"],
       [AC_MSG_ERROR([--with-slurmsrc: no directory $with_slurmsrc])])])

  AS_IF([test -n "$slurm_src"], [
    slurm_build=$slurm_src
    AS_IF([test -n "$with_slurmbuild"],
      [slurm_build=`cd "$with_slurmbuild" 2>/dev/null && pwd`
       AS_IF([test -z "$slurm_build"],
         [AC_MSG_ERROR([--with-slurmbuild: no directory $with_slurmbuild])])])
    AS_IF([test ! -f "$slurm_src/src/slurmctld/slurmctld.h"],
      [AC_MSG_ERROR([$slurm_src is not a Slurm source tree])])
    AS_IF([test ! -f "$slurm_build/config.h" ||
	   test ! -f "$slurm_build/slurm/slurm_version.h"],
      [AC_MSG_ERROR([the Slurm tree $slurm_build is not configured: run ./configure there])])

    AC_MSG_CHECKING([version of the Slurm tree])
    slurm_version=`sed -n 's/^#define SLURM_VERSION_STRING "\(.*\)"/\1/p' \
      "$slurm_build/config.h" | head -n 1`
    AC_MSG_RESULT([$slurm_version])

    AS_IF([test -z "$with_slurmctld"],
      [AC_PATH_PROG([with_slurmctld], [slurmctld], [],
		    [$PATH:/usr/sbin:/usr/local/sbin])])
    AS_IF([test "x$enable_version_check" = xyes], [
      AS_IF([test -z "$with_slurmctld" || test ! -x "$with_slurmctld"],
	[AC_MSG_ERROR([no slurmctld to compare the Slurm tree with: give --with-slurmctld=PATH or --disable-version-check])])
      slurmctld_version=`"$with_slurmctld" -V | sed 's/^@<:@^0-9@:>@*//'`
      AS_IF([test "x$slurmctld_version" != "x$slurm_version"],
	[AC_MSG_ERROR([the Slurm tree is $slurm_version but $with_slurmctld is $slurmctld_version; it would not load the plugin (--with-slurmctld=PATH names another, --disable-version-check overrules)])])
    ])

    AC_MSG_CHECKING([for libslurmfull.so])
    SLURM_LIBDIR=
    # not every clang knows Debian's name of the machine
    multiarch=`$CC -print-multiarch 2>/dev/null ||
      gcc -print-multiarch 2>/dev/null`
    for dir in /usr/lib/$multiarch/slurm-wlm \
	/usr/lib64/slurm /usr/lib/slurm /usr/local/lib/slurm \
	/opt/slurm/lib/slurm; do
      AS_IF([test -e "$dir/libslurmfull.so"], [SLURM_LIBDIR=$dir; break])
    done
    AS_IF([test -n "$with_plugindir" &&
	   test -e "$with_plugindir/libslurmfull.so"],
      [SLURM_LIBDIR=$with_plugindir])
    AC_MSG_RESULT([${SLURM_LIBDIR:-no: fed_flurmd is not built}])
    # as system headers: their warnings are not ours
    SLURM_CPPFLAGS="-isystem $slurm_build -isystem $slurm_src"
  ])
  plugindir=${with_plugindir:-${SLURM_LIBDIR:-'${libdir}/slurm'}}
  AC_SUBST([SLURM_SRC], [$slurm_src])
  AC_SUBST([plugindir])
  SLURMFULL_LIBS=
  AS_IF([test -n "$SLURM_LIBDIR"],
    [SLURMFULL_LIBS="-L$SLURM_LIBDIR -lslurmfull -Wl,-rpath,$SLURM_LIBDIR"])
  AC_SUBST([SLURMFULL_LIBS])
  AC_SUBST([SLURM_CPPFLAGS])
  AM_CONDITIONAL([WITH_SLURM], [test -n "$slurm_src"])
  AM_CONDITIONAL([WITH_LIBSLURMFULL], [test -n "$SLURM_LIBDIR"])
])
