//go:build unix

package local

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
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

// found is an engine that works here, with testImage in it.
var found = sync.OnceValues(func() (*container.Engine, error) {
	e, err := container.Find(context.Background(), "")
	if err == nil {
		err = makeImage(e)
	}
	if err == nil { // an engine may answer and run nothing
		var out []byte
		if out, err = exec.Command(e.Path, "run", "--rm", "--pull", "never", "--network", "host", testImage, "true").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	return e, err
})

func engine(t *testing.T) *container.Engine {
	t.Helper()
	e, err := found()
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("AZUREML_REQUIRE"), ","), "containers") {
			require.NoError(t, err, "AZUREML_REQUIRE has containers")
		}
		t.Skipf("no container engine works here: %v", err)
	}
	return e
}

func makeImage(e *container.Engine) error {
	if e.Has(context.Background(), testImage) {
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
		if err = errors.Join(err, w.WriteHeader(&h)); err == nil {
			_, err = w.Write(text)
		}
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
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	c := exec.Command(e.Path, "import", "-", testImage)
	c.Stdin, c.Stdout, c.Stderr = &b, io.Discard, io.Discard
	return c.Run()
}

func contained(t *testing.T) (*Workspace, *container.Engine) {
	t.Helper()
	e := engine(t)
	w, err := Start(t.Context(), &Options{Dir: t.TempDir(), Environments: Container, Computes: []Compute{{Name: "cpu-cluster", Nodes: 4}}})
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
	t.Parallel()
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

// saying returns when the log of a job that runs has a text.
func saying(t *testing.T, w *Workspace, name, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for line, err := range w.Client.Jobs.Logs(ctx, name, nil) {
		require.NoError(t, err)
		if strings.Contains(line, text) {
			return
		}
	}
	t.Fatalf("the log of %s ended without %q", name, text)
}

func TestContainerEnds(t *testing.T) {
	t.Parallel()
	w, e := contained(t)
	run, err := done(t, w, jobs.Command("echo so; echo oh no >&2; exit 3").Named("fails").In(inImage()))
	require.ErrorContains(t, err, "exited with status code 3")
	require.ErrorContains(t, err, "oh no")
	require.Equal(t, jobs.Failed, run.Status)

	// The processes below the shell are asked to end, and what they write then is kept.
	job := &jobs.CommandJob{
		Name: "stops", Environment: inImage(), Outputs: jobs.Outputs{"out": jobs.Output{}},
		Command: `sh -c 'trap "echo asked >${{outputs.out}}/end; exit 0" TERM; echo ready; while :; do sleep 0.1; done'; echo after`,
	}
	_, err = w.Client.Jobs.Submit(t.Context(), job, nil)
	require.NoError(t, err)
	saying(t, w, "stops", "ready")
	require.NotEmpty(t, left(t, e, "stops"))
	begun := time.Now()
	require.NoError(t, w.Client.Jobs.Cancel(t.Context(), "stops"))
	_, err = w.Client.Jobs.Wait(t.Context(), "stops", nil)
	require.ErrorIs(t, err, jobs.ErrCanceled)
	t.Logf("cancel took %s", time.Since(begun))
	to := t.TempDir()
	_, err = w.Client.Jobs.Download(t.Context(), "stops", to, &jobs.DownloadOptions{All: true})
	require.NoError(t, err)
	var found []byte
	require.NoError(t, filepath.WalkDir(to, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "end" {
			found, err = os.ReadFile(p)
		}
		return err
	}))
	require.Equal(t, "asked\n", string(found))
	require.Empty(t, left(t, e, "stops"))

	run, err = done(t, w, jobs.Command("sleep 600").Named("slow").In(inImage()).Timeout(time.Second))
	require.Error(t, err)
	require.Equal(t, jobs.Canceled, run.Status)
	require.Contains(t, run.Error.Message, "longer than its limit")
	require.Empty(t, left(t, e, "slow"))

	_, err = w.Client.Jobs.Submit(t.Context(), jobs.Command("echo ready; sleep 600").Named("open").In(inImage()), nil)
	require.NoError(t, err)
	saying(t, w, "open", "ready")
	require.NoError(t, w.Close())
	require.Empty(t, left(t, e, "open"))
}

var tag = regexp.MustCompile(`localhost/azureml-local:[0-9a-f]{32}`)

// buildLog is what was said when a job's image was made, "" when it was there. The image is taken away when the test ends.
func buildLog(t *testing.T, w *Workspace, e *container.Engine, job string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := w.Client.Jobs.Download(t.Context(), job, dir, &jobs.DownloadOptions{Match: []string{"20_image_build_log.txt"}}); err != nil {
		return ""
	}
	var b []byte
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, err = os.ReadFile(p)
		}
		return err
	}))
	if image := tag.Find(b); image != nil {
		t.Cleanup(func() {
			if out, err := exec.Command(e.Path, "rmi", string(image)).CombinedOutput(); err != nil {
				t.Logf("%s is left: %s", image, out)
			}
		})
	}
	return string(b)
}

func TestContainerImages(t *testing.T) {
	t.Parallel()
	w, e := contained(t)
	_, err := done(t, w, jobs.Command("true").Named("none").In(&assets.Environment{Image: "127.0.0.1:1/Not/there:1"}))
	require.ErrorContains(t, err, "127.0.0.1:1/Not/there:1 could not be pulled")
	require.ErrorContains(t, err, "20_image_build_log.txt")

	unique := strconv.FormatInt(time.Now().UnixNano(), 36)
	// An image with a conda file is built once, however many want it.
	env := &assets.Environment{Image: testImage, Conda: assets.Conda{Text: "dependencies:\n- python=3.12\n- pip\nname: env" + unique + "\n"}}
	names := []string{"conda1", "conda2", "conda3"}
	for _, n := range names {
		_, err := w.Client.Jobs.Submit(t.Context(), jobs.Command("packages; echo $AZUREML_CONDA_ENVIRONMENT_PATH").Named(n).In(env), nil)
		require.NoError(t, err)
	}
	built := 0
	for _, n := range names {
		_, err := w.Client.Jobs.Wait(t.Context(), n, nil)
		require.NoError(t, err)
		log := logOf(t, w, n)
		require.Contains(t, log, "packages: ")
		require.Contains(t, log, "/azureml-envs/azureml_")
		if strings.Contains(buildLog(t, w, e, n), "Building image") {
			built++
		}
	}
	require.Equal(t, 1, built)

	// A build context.
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("docker/Dockerfile", "FROM "+testImage+"\nCOPY hello /hello\nENV SAID="+unique+"\n")
	write("hello", "hello from the context\n")
	env = &assets.Environment{Build: &assets.Build{Path: folder, Dockerfile: "docker/Dockerfile"}}
	_, err = done(t, w, jobs.Command("cat /hello; echo $SAID").Named("context").In(env))
	require.NoError(t, err, logOf(t, w, "context"))
	require.Contains(t, buildLog(t, w, e, "context"), "COPY hello /hello")
	require.Contains(t, logOf(t, w, "context"), "hello from the context\n"+unique)
	write("docker/Dockerfile", "FROM "+testImage+"\nRUN echo it broke here && false\n")
	_, err = done(t, w, jobs.Command("true").Named("broken").In(env))
	require.ErrorContains(t, err, "the image could not be built")
	require.ErrorContains(t, err, "it broke here")
	require.Empty(t, left(t, e, "broken"))

	_, err = w.Client.Jobs.Submit(t.Context(), jobs.Command("true").In(inImage()).Resources(azureml.Resources{DockerArgs: azureml.DockerArgs{Line: "--rm --name x"}}), nil)
	require.ErrorContains(t, err, "--rm is the workspace's own to say")
}
