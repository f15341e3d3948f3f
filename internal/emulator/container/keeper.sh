# The first process of a container: it passes the wish to end on to all others,
# as a process group has it, and reaps what they leave.
how=$1
shift
if [ "$how" = line ]; then
	if command -v bash >/dev/null 2>&1; then set -- bash -c "$1"; else set -- sh -c "$1"; fi
fi
exec 3<&0
asked=
end() {
	asked=1
	if [ $$ = 1 ]; then kill -TERM -1; else kill -TERM "$child"; fi 2>/dev/null
}
child=
trap end TERM INT HUP
"$@" <&3 3<&- &
child=$!
exec 3<&-
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do
	wait "$child"
	code=$?
done
# Those that were asked to end may take their time; sleep reaps them, too.
while [ -n "$asked" ] && [ $$ = 1 ] && kill -0 -1 2>/dev/null; do sleep 0.1 2>/dev/null || sleep 1; done
exit $code
