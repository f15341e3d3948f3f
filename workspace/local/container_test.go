//go:build unix

package local

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/emulator/container"
	"github.com/azureml-go/azureml/jobs"
)

// testImage is made of busybox, which is all that is in it: no registry need be reached.
const testImage = "localhost/azureml-test:busybox"

// fakeConda makes environments without a network: a program of its own that
// says what the conda file asked for.
const fakeConda = `#!/bin/sh
case "$1 $2" in
"env create") mkdir -p "$4/bin" && { echo '#!/bin/sh'; echo "echo packages: $(grep -c . "$6")"; } >"$4/bin/packages" && chmod +x "$4/bin/packages"; echo "made $4" ;;
"clean -aqy") ;;
*) echo "conda: $*?" >&2; exit 2 ;;
esac
`

// engine is one that works here, with testImage in it.
func engine(t *testing.T) *container.Engine {
	t.Helper()
	e, err := container.Find(t.Context(), "")
	if err == nil {
		err = makeImage(t, e)
	}
	if err == nil { // an engine may answer and run nothing
		var out []byte
		if out, err = exec.Command(e.Path, "run", "--rm", "--pull", "never", "--network", "host", testImage, "true").CombinedOutput(); err != nil {
			t.Logf("%s", out)
		}
	}
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("AZUREML_REQUIRE"), ","), "containers") {
			require.NoError(t, err, "AZUREML_REQUIRE has containers")
		}
		t.Skipf("no container engine works here: %v", err)
	}
	return e
}

func makeImage(t *testing.T, e *container.Engine) error {
	if e.Has(t.Context(), testImage) {
		return nil
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	names, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, text []byte) {
		h.Size = int64(len(text))
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write(text)
		require.NoError(t, err)
	}
	for _, d := range []string{"bin/", "tmp/", "proc/", "sys/", "dev/", "etc/"} {
		add(tar.Header{Name: d, Typeflag: tar.TypeDir, Mode: 0o777}, nil)
	}
	add(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644}, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	add(tar.Header{Name: "bin/conda", Typeflag: tar.TypeReg, Mode: 0o755}, []byte(fakeConda))
	add(tar.Header{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755}, program)
	for n := range strings.FieldsSeq(string(names)) {
		if n != "busybox" {
			add(tar.Header{Name: "bin/" + n, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	require.NoError(t, w.Close())
	c := exec.Command(e.Path, "import", "-", testImage)
	c.Stdin, c.Stdout, c.Stderr = &b, io.Discard, os.Stderr
	return c.Run()
}

func contained(t *testing.T) (*Workspace, *container.Engine) {
	t.Helper()
	e := engine(t)
	w, err := Start(t.Context(), &Options{Dir: t.TempDir(), Environments: Container})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w, e
}

func inImage() *assets.Environment { return &assets.Environment{Image: testImage} }

func done(t *testing.T, w *Workspace, spec jobs.Spec) (*jobs.Run, error) {
	t.Helper()
	run, err := w.Client.Jobs.Submit(t.Context(), spec, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	_, err = w.Client.Jobs.Wait(ctx, run.Name, nil)
	run, gerr := w.Client.Jobs.Get(ctx, run.Name)
	require.NoError(t, gerr)
	return run, err
}

func logOf(t *testing.T, w *Workspace, name string) string {
	t.Helper()
	var b strings.Builder
	for line, err := range w.Client.Jobs.Logs(t.Context(), name, nil) {
		require.NoError(t, err)
		b.WriteString(line + "\n")
	}
	return b.String()
}

// left lists the containers of a workspace.
func left(t *testing.T, e *container.Engine, job string) string {
	t.Helper()
	out, err := exec.Command(e.Path, "ps", "--all", "--quiet", "--filter", "label=azureml.local.run="+job).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func TestContainer(t *testing.T) {
	w, e := contained(t)
	data := filepath.Join(t.TempDir(), "in")
	require.NoError(t, os.MkdirAll(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "a.txt"), []byte("forty-two\n"), 0o600))
	code := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(code, "run.sh"), []byte(`set -e
echo "pid1 $(cat /proc/1/comm) path $PATH home ${HOME:-none} run $AZUREML_RUN_ID"
cat "$1/a.txt"
(echo x >"$1/b.txt") 2>/dev/null && echo "input was written to"
cp "$1/a.txt" "$2/copy.txt"
mkdir -p outputs && echo kept >outputs/o.txt
df -m /dev/shm | tail -n 1
wget -q -O - "$MLFLOW_TRACKING_URI/health"
`), 0o600))
	run, err := done(t, w, &jobs.CommandJob{
		Name: "boxed", Code: jobs.Folder(code), Command: "sh run.sh ${{inputs.data}} ${{outputs.out}}", Environment: inImage(),
		Inputs: jobs.Inputs{"data": jobs.URIFolder(data)}, Outputs: jobs.Outputs{"out": jobs.Output{}},
	})
	t.Log(logOf(t, w, run.Name))
	require.NoError(t, err)
	require.Empty(t, left(t, e, run.Name))
}
