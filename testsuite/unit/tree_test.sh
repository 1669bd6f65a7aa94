#!/bin/sh
# tree_test.sh: the tree's own rules. Includes go downward only; one file alone
# knows one Slurm release from another; each test of pytest is distributed.
top=$(cd "${srcdir:-$(dirname "$0")/../..}" && pwd)
cd "$top" || exit 1
failed=0

wrong()
{
	echo "tree_test: $*" >&2
	failed=1
}

# may_include DIR DIR...: files of the first include of src/ only the others'
may_include()
{
	of=$1
	allowed=$(echo "$*" | sed 's/ /\\|/g')
	said=$(grep -rn '^#include [<"]\(src/\|slurm\)' "src/$of" |
	       grep -v "#include \"src/\\($allowed\\)/")
	[ -z "$said" ] || wrong "$said"
}
may_include core
may_include flurm core
may_include gateway flurm core

said=$(grep -rnE '^#[ 	]*(el)?if.*(SLURM_VERSION|PROTOCOL_VERSION|COMPAT_24)' \
	src | grep -v '^src/sibling/compat\.h:')
[ -z "$said" ] || wrong "$said"
grep -qE '^#if .*COMPAT_24_11' src/sibling/compat.h ||
	wrong "compat.h: where are its conditionals?"

for suite in gateway system; do
	for file in $(find testsuite/$suite -name '*.py'); do
		grep -q "	$file " testsuite/$suite/local.mk ||
			wrong "$file is not in testsuite/$suite/local.mk"
	done
done
exit $failed
