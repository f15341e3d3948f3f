package container

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	e := &Engine{Owner: "me", Args: []string{"--gpus=all"}}
	r := &Run{Name: "n", Image: "i:1", Job: "j", Dir: "/w", Home: "/h", Shm: "2g", Args: []string{"--cap-add", "X"}, Line: "echo", Env: []string{"A=1", "PATH=/p", "A=2", "DOCKER_HOST=x"}, Mounts: []Mount{{From: "/a", To: "/b"}, {From: "/c", To: "/c", ReadOnly: true}}}
	args, env := e.arguments(r, false)
	line := strings.Join(args, " ")
	for _, want := range []string{
		"run --rm --name n --label azureml.local.owner=me --label azureml.local.run=j", "--pull never", "--network host", "--shm-size 2g --volume /a:/b --volume /c:/c:ro",
		"--env DOCKER_HOST=x --env A --env PATH=/p", "--workdir /w --entrypoint sh --gpus=all --cap-add X i:1 -c ",
	} {
		require.Contains(t, line, want)
	}
	require.Equal(t, []string{"line", "echo"}, args[len(args)-2:])
	require.Equal(t, []string{"A=2"}, env, "the last counts; what the engine itself reads is not among its variables")
	require.NotContains(t, args, "--interactive")

	args, _ = e.arguments(&Run{Image: "i", Command: []string{"a", "b"}}, true)
	require.Contains(t, args, "--interactive")
	require.Equal(t, []string{"sh", "words", "a", "b"}, args[len(args)-4:])

	args, _ = (&Engine{Machine: true}).arguments(r, false)
	require.NotContains(t, args, "--network")
	require.Contains(t, strings.Join(args, " "), "--user 0:0")
}

func TestAddress(t *testing.T) {
	const at = "http://127.0.0.1:80"
	require.Equal(t, at, (&Engine{}).Address(at))
	require.Equal(t, "http://host.docker.internal:80", (&Engine{Machine: true}).Address(at))
	require.Equal(t, "http://host.containers.internal:80", (&Engine{Machine: true, Podman: true}).Address(at))
}

func TestCheckArgs(t *testing.T) {
	for _, a := range []string{"--name=x", "-d", "--rm", "-it", "-dit", "--entrypoint"} {
		flag, ok := CheckArgs([]string{"--memory", "1g", a})
		require.False(t, ok, a)
		require.Equal(t, strings.Split(a, "=")[0], flag)
	}
	_, ok := CheckArgs([]string{"--memory=1g", "-v", "/a:/b", "--ipc=host", "-e", "A=b", "--device", "/dev/x"})
	require.True(t, ok)
}

func TestInside(t *testing.T) {
	for path, want := range map[string]string{"/a/b": "/a/b", `C:\Users\me\x`: "/c/Users/me/x", "D:/x": "/d/x", "": "", "C:": "C:"} {
		require.Equal(t, want, Inside(path))
	}
}
