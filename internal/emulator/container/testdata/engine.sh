#!/bin/sh
# An engine for tests, by the name docker or podman: it writes down what it is
# asked, and runs what it is told on this machine. FAKE_ENGINE is its folder.
# Nothing is kept apart: what is tested is what the engine is told.
at=${FAKE_ENGINE:?}
for a in "$@"; do printf '%s\n' "$a"; done >>"$at/asked"
printf -- '---\n' >>"$at/asked"
name=$(basename "$0")
[ ! -e "$at/$name.down" ] || { echo "Cannot connect to the $name daemon" >&2; exit 1; }
case $1 in
--version) echo "$name version 99.1" ;;
info)
	if [ "$name" = podman ]; then
		echo '{"host":{"arch":"amd64","serviceIsRemote":false,"security":{"rootless":true}}}'
	else
		cat "$at/info" 2>/dev/null || echo '{"OSType":"linux","OperatingSystem":"Debian","Architecture":"aarch64","SecurityOptions":["name=seccomp"],"ServerErrors":null}'
	fi
	;;
context) echo "${FAKE_HOST:-unix:///var/run/docker.sock}" ;;
image) for a in "$@"; do image=$a; done; [ -e "$at/images/$(echo "$image" | tr / _)" ] && echo "sha256:of $image" ;;
pull)
	echo "Trying to pull $2"
	case $2 in *none*) echo "manifest of $2 unknown" >&2; exit 1 ;; esac
	touch "$at/images/$(echo "$2" | tr / _)"
	;;
build) touch "$at/images/$(echo "$3" | tr / _)"; for a in "$@"; do dir=$a; done; cp -R "$dir" "$at/context" ;;
ps) [ ! -e "$at/left" ] || cat "$at/left" ;;
rm | kill) [ "$1" = rm ] || for a in "$@"; do [ ! -e "$at/pid.$a" ] || kill -"$3" -"$(cat "$at/pid.$a")" 2>/dev/null; done ;;
run)
	shift
	while :; do
		case $1 in
		--name) echo $$ >"$at/pid.$2"; shift 2 ;;
		--env) case $2 in *=*) export "$2" ;; esac; shift 2 ;;
		--workdir) cd "$2" || exit 125; shift 2 ;;
		--entrypoint) program=$2; shift 2 ;;
		--label | --pull | --log-driver | --network | --security-opt | --user | --shm-size | --volume | --add-host) shift 2 ;;
		-*) shift ;;
		*) break ;;
		esac
	done
	shift # the image
	exec "$program" "$@"
	;;
esac
