#!/bin/sh
# doc_keys_test.sh: each key that src/sibling/conf.c reads has its paragraph in
# fed_flurm.conf(5), each paragraph there has its key, and the examples name
# them all; each option of fed_flurmd and of flurmfed, and each command of the
# latter, is in its page.
top=${srcdir:-$(dirname "$0")/../..}
conf=$top/src/sibling/conf.c
page=$top/doc/man/fed_flurm.conf.5
example=$top/etc/fed_flurm.conf.example
failed=0

wrong()
{
	echo "doc_keys_test: $*" >&2
	failed=1
}

keys=$(sed -n 's/.*{ *\.key = "\([A-Za-z]*\)".*/\1/p' "$conf")
# the paragraphs of the two sections of keys
said=$(awk '/^\.SH/ { keys = /^\.SH KEYS/ }
	    keys && tag { print $2 }
	    { tag = /^\.TP/ }' "$page")
[ "$(echo "$keys" | wc -l)" -ge 12 ] || wrong "$conf: where are its keys?"
for key in $keys; do
	echo "$said" | grep -qx "$key" || wrong "$key is not in $page"
	grep -q "\<$key\>" "$example" || wrong "$key is not in $example"
done
for key in $said; do
	echo "$keys" | grep -qx "$key" || wrong "$page: $key is no key"
done

# all_in NAME FILE...: the options of getopt_long() in these files of C
all_in()
{
	page=$top/doc/man/$1.8; shift
	options=$(sed -n 's/.*{ "\([a-z]*\)", [a-z]*_argument.*/\1/p' "$@")
	[ -n "$options" ] || wrong "$*: where are their options?"
	for option in $options; do
		grep -q -e "\\\\-\\\\-$option\\>" "$page" ||
			wrong "--$option is not in $page"
	done
}
all_in fed_flurmd "$top/src/fed_flurmd/main.c"
all_in flurmfed "$top"/src/flurmfed/*.c
commands=$(sed -n 's/.*{ "\([a-z]*\)", [a-z]*_cmd,.*/\1/p' \
	   "$top/src/flurmfed/main.c")
[ -n "$commands" ] || wrong "flurmfed: where are its commands?"
for command in $commands; do
	grep -q "^\\\\fB$command\\>" "$page" ||
		wrong "flurmfed $command is not in $page"
done

# a page that groff complains about is not shown as it is meant
if command -v groff >/dev/null; then
	for page in "$top"/doc/man/*.[1-8]; do
		said=$(groff -man -ww -z "$page" 2>&1)
		[ -z "$said" ] || wrong "$said"
	done
fi
exit $failed
