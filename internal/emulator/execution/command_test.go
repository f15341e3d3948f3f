package execution

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUserProgram(t *testing.T) {
	sh, err := shell()
	require.NoError(t, err)
	name := filepath.Base(sh)
	for command, want := range map[string]string{
		"python train.py --lr 1":              "python",
		"  ./train":                           "./train",
		"chmod +x ./train && ./train -data x": "./train",
		"chmod +x ./a":                        "chmod",
		"echo oops >&2; exit 3":               name,
		"python a.py && python b.py":          name,
		"cat x | sort":                        name,
		"python a.py\npython b.py":            name,
	} {
		require.Equal(t, want, userProgram(command), command)
	}
}
