package azureml

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The program of the guide is what people copy first.
func TestTheGuidesProgramCompiles(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var program strings.Builder
	for line := range strings.Lines(string(guide)) {
		if text, ok := strings.CutPrefix(line, "//\t"); ok && (program.Len() > 0 || text == "package main\n") {
			program.WriteString(text)
		} else if program.Len() > 0 && line != "//\n" {
			break
		}
	}
	require.Contains(t, program.String(), "func main() {")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program.String()), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "vet", file).CombinedOutput()
	require.NoError(t, err, string(out))
}
