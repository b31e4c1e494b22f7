# For scripts that run in the guest and print TAP.  Each test is
#
#	it 'says what it proves' [SECONDS] <<'T'
#	commands, run by bash -eu in a fresh directory of the mount
#	T
#
# and passes when all the commands succeed.  `skip WHY` skips it, aloud;
# `need PROGRAM` does where there is no such program, `once` in a boot that is
# to be brief.

it_n=0 it_failed=0
it_log=/tmp/it.log

skip() {
	echo "$*" >$it_log.skip
	exit 77
}

# What takes long, in a test that another version of the protocol has passed.
once() {
	[ -n "${LONG:-}" ] || [ -z "${BRIEF:-}" ] ||
	    skip "another version did it; make test-long does by each"
}

need() {
	command -v "$1" >/dev/null || skip "no $1 here"
}

# The command must fail: `! command` is not looked at by bash -e.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		return 1
	fi
}

# With two clients: the same directory, seen by the other one.
there() { echo "$OTHER/$(basename "$PWD")"; }
export -f skip once need not there
export it_log

plan() {
	echo "1..$(grep -c "^it '" "$0")"
}

it() {
	local sentence=$1 limit=${2:-60} dir rc script
	it_n=$((it_n + 1))
	dir=$MNT/it-$it_n
	script=$(cat)
	mkdir -p "$dir"
	(
		cd "$dir" &&
		exec timeout -k 5 "$limit" bash -euxo pipefail -c "$script"
	) >$it_log 2>&1 </dev/null
	rc=$?
	case $rc in
	0) echo "ok $it_n - $sentence";;
	77) echo "ok $it_n - $sentence # SKIP $(cat $it_log.skip)";;
	*)	it_failed=1
		tail -n 40 $it_log | sed 's/^/# /'
		[ $rc != 124 ] || echo "# over the time limit of $limit s"
		echo "not ok $it_n - $sentence";;
	esac
}
