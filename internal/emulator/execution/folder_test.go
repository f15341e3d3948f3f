//go:build unix

package execution

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The folder of an ended job serves others, which find nothing in it.
func TestFoldersAreUsedAgain(t *testing.T) {
	w := newWorld(t)
	first := command("echo left >${{outputs.o}}/left && mkdir ${{outputs.p}}/deep && echo > deep", m{"outputs": m{"o": m{"jobOutputType": "uri_folder"}, "p": m{"jobOutputType": "uri_folder"}}})
	require.Equal(t, Completed, w.run("a", first).Status)
	require.Len(t, w.e.spares, 1)
	require.Equal(t, Completed, w.run("b", command("ls -A . ../inputs ../outputs ../tmp", nil)).Status)
	require.Contains(t, w.log("b"), "\n.:\n\n../inputs:\n\n../outputs:\n\n../tmp:\n")
	require.Equal(t, Completed, w.run("c", first).Status)
	again := command("ls -A ${{outputs.o}} ${{outputs.q}}; ls ../outputs; echo >${{outputs.o}}/new", m{"outputs": m{"o": m{"jobOutputType": "uri_folder"}, "q": m{"jobOutputType": "uri_folder"}}})
	require.Equal(t, Completed, w.run("d", again).Status)
	require.NotContains(t, w.log("d"), "left")
	require.Regexp(t, `(?s)\no\nq\s*$`, w.log("d"))
	require.Len(t, w.e.spares, 1)
}
