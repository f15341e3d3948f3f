package assets

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestDataVersions(t *testing.T) {
	w := newWorld(t)
	c := NewDataClient(w.c)
	dir := writeTree(t, map[string]string{"a.csv": "1"})
	first, err := c.Create(t.Context(), &Data{Name: "rows", Path: dir, Tags: map[string]string{"k": "v"}}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"rows", "1"}, []string{first.Name, first.Version})
	require.Equal(t, map[string]any{"dataType": "uri_folder", "dataUri": first.Path, "isAnonymous": false, "isArchived": false, "properties": map[string]any{}, "tags": map[string]any{"k": "v"}}, w.doc("data/rows/versions/1"))

	w.taken["data/rows/versions/2"] = true // somebody else makes version 2 at the same time
	third, err := c.Create(t.Context(), &Data{Name: "rows", Type: URIFile, Path: filepath.Join(dir, "a.csv")}, nil)
	require.NoError(t, err)
	require.Equal(t, "3", third.Version)
	require.Regexp(t, `LocalUpload/[0-9a-f]{64}/a.csv$`, third.Path)

	latest, err := c.GetByLabel(t.Context(), "rows", Latest)
	require.NoError(t, err)
	require.Equal(t, "3", latest.Version)
	_, err = c.GetByLabel(t.Context(), "rows", "newest")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = c.GetByLabel(t.Context(), "none", Latest)
	require.ErrorIs(t, err, azureml.ErrNotFound)

	// A version's content is fixed; its description is not.
	_, err = c.Create(t.Context(), &Data{Name: "rows", Version: "1", Path: "https://elsewhere/x"}, nil)
	require.ErrorIs(t, err, ErrPathFixed)
	first.Description = "the first"
	_, err = c.Create(t.Context(), first, nil)
	require.NoError(t, err)
	require.Equal(t, "the first", w.doc("data/rows/versions/1")["description"])

	require.NoError(t, c.Archive(t.Context(), "rows", "1"))
	require.Equal(t, true, w.doc("data/rows/versions/1")["isArchived"])
	require.NoError(t, c.Restore(t.Context(), "rows", "1"))
	require.Equal(t, false, w.doc("data/rows/versions/1")["isArchived"])

	var versions []string
	for v, err := range c.Versions(t.Context(), "rows", nil) {
		require.NoError(t, err)
		versions = append(versions, v.Version)
	}
	require.ElementsMatch(t, []string{"1", "2", "3"}, versions)

	out := t.TempDir()
	_, err = c.Download(t.Context(), "rows", "1", out, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a.csv": "1"}, readTree(t, out))

	require.NoError(t, c.Delete(t.Context(), "rows", "2"))
	_, err = c.Get(t.Context(), "rows", "2")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, `data: get "rows:2"`)
}

// What is wrong is said with its field, all at once, before anything is sent.
func TestFaultsBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"a.csv": "1"})
	file := filepath.Join(dir, "a.csv")
	data := func(d Data) error {
		_, err := NewDataClient(w.c).Create(t.Context(), &d, nil)
		return err
	}
	model := func(m Model) error {
		_, err := NewModelClient(w.c).Create(t.Context(), &m, nil)
		return err
	}
	env := func(e Environment) error {
		_, err := NewEnvironmentClient(w.c).Create(t.Context(), &e, nil)
		return err
	}
	code := func(c Code) error {
		_, err := NewCodeClient(w.c).Create(t.Context(), &c, nil)
		return err
	}
	table := writeTree(t, map[string]string{"MLTable": "transformations: []\n"})
	for _, c := range []struct {
		err  error
		want []string
	}{
		{data(Data{}), []string{"name: is required", "path: is required"}},
		{data(Data{Name: "a b", Version: "1/2", Path: dir}), []string{`name: "a b" is no name of an asset`, `version: "1/2" is no version`}},
		{data(Data{Name: "a", Path: filepath.Join(dir, "none")}), []string{"path: there is no file or folder ", "none; addresses begin with azureml:// or https://"}},
		{data(Data{Name: "a", Path: file}), []string{"is a file; the type uri_folder wants a folder"}},
		{data(Data{Name: "a", Type: "URI-File", Path: dir}), []string{"is a folder; the type uri_file wants a file"}},
		{data(Data{Name: "a", Type: "table", Path: dir}), []string{`type: "table" is none of`}},
		{data(Data{Name: "a", Type: MLTable, Path: dir}), []string{"a folder of the type mltable has a file MLTable"}},
		{data(Data{Name: "a", Type: MLTable, Path: table}), []string{"paths is required"}},
		{data(Data{Name: "a b", Path: t.TempDir()}), []string{`name: "a b" is no name`, "path: the folder ", " is empty, or all its files are ignored"}},
		{model(Model{Name: "m"}), []string{"path: is required"}},
		{model(Model{Name: "m", Type: MLflowModel, Path: file}), []string{"is a file; a model of the type mlflow_model is a folder"}},
		{model(Model{Name: "m", Type: MLflowModel, Path: "azureml://datastores/x/paths/m.pkl"}), []string{"looks like a file"}},
		{model(Model{Version: "1", Path: "azureml://datastores/x/paths/m"}), []string{"a version needs a name", "name: is required"}},
		{env(Environment{Name: "e"}), []string{"image: give an image, or a build context"}},
		{env(Environment{Name: "e", Image: "i", Build: &Build{Path: dir}}), []string{"not both", "there is no Dockerfile in"}},
		{env(Environment{Name: "e", Build: &Build{Path: file}}), []string{"build.path", "it must be a folder with a Dockerfile"}},
		{env(Environment{Name: "e", Image: "i", InferenceConfig: &InferenceConfig{Liveness: &Route{Path: "/", Port: 1}}}), []string{"inference_config.readiness_route", "inference_config.scoring_route"}},
		{env(Environment{Name: "e", Image: "i", Conda: CondaFile(filepath.Join(dir, "none.yml"))}), []string{"conda_file: there is no file "}},
		{code(Code{Path: "git+https://x"}), []string{"code from git is not supported"}},
		{code(Code{Path: dir, Version: "1"}), []string{"name: is required with a version"}},
		{code(Code{Path: t.TempDir(), Version: "1"}), []string{"name: is required with a version", "path: the folder ", "is empty"}},
		{env(Environment{Name: "e", Image: "i", Build: &Build{Path: filepath.Join(dir, "none")}, Conda: CondaFile(filepath.Join(dir, "none.yml"))}), []string{"not both", "build.path: there is no folder ", "conda_file: conda packages", "conda_file: there is no file "}},
	} {
		require.Error(t, c.err)
		for _, want := range c.want {
			require.ErrorContains(t, c.err, want)
		}
	}
	require.Empty(t, w.calls)
	err := data(Data{})
	require.Len(t, faultsOf(err), 2)
	require.ErrorIs(t, data(Data{Name: "a", Path: filepath.Join(dir, "none")}), fs.ErrNotExist)
	require.Len(t, faultsOf(data(Data{Name: "a", Type: "table", Path: file})), 1, "a path is no fault of a type that is not known")
	require.Len(t, faultsOf((&Data{}).Validate()), 2)
	require.Len(t, faultsOf((&Model{Name: "m"}).Validate()), 1)
	require.Len(t, faultsOf((&Environment{}).Validate(t.Context())), 1)
	require.NoError(t, (&Environment{Image: "i", Conda: Conda{Text: "name: x"}}).Validate(t.Context()))
	require.Error(t, (&Environment{Image: "i", Conda: Conda{Text: "- x"}}).Validate(t.Context()))
}

func TestTables(t *testing.T) {
	w := newWorld(t)
	c := NewDataClient(w.c)
	dir := writeTree(t, map[string]string{"MLTable": "paths:\n- file: ./a.csv\n- pattern: ./*.parquet\n- folder: ./more\n", "a.csv": "1"})
	here, err := c.Create(t.Context(), &Data{Name: "table", Type: MLTable, Path: dir}, nil)
	require.NoError(t, err)
	want := []any{"./a.csv", "./*.parquet", "./more"}
	require.Equal(t, want, w.doc("data/table/versions/1")["referencedUris"])
	_, err = c.Create(t.Context(), &Data{Name: "table", Type: MLTable, Path: here.Path}, nil)
	require.NoError(t, err)
	require.Equal(t, want, w.doc("data/table/versions/2")["referencedUris"])
	_, err = c.Create(t.Context(), &Data{Name: "table", Type: MLTable, Path: "azureml://datastores/none/paths/x"}, nil)
	require.NoError(t, err)
	require.NotContains(t, w.doc("data/table/versions/3"), "referencedUris")
}

func TestModels(t *testing.T) {
	w := newWorld(t)
	c := NewModelClient(w.c)
	dir := writeTree(t, map[string]string{"MLmodel": "flavors: {}\n", "model.pkl": "p"})
	m, err := c.Create(t.Context(), &Model{Name: "net", Type: MLflowModel, Path: dir}, nil)
	require.NoError(t, err)
	require.Equal(t, "1", m.Version)
	require.Equal(t, "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/LocalUpload/"+objectHash(t, dir)+"/rows", m.Path)
	b := w.blobs()
	mark, err := b.stat(t.Context(), "LocalUpload/"+objectHash(t, dir)+"/rows/MLmodel")
	require.NoError(t, err)
	require.Equal(t, "1", metadata(mark.meta, "version"))

	m, err = c.Create(t.Context(), &Model{Name: "net", Path: "azureml://datastores/workspaceblobstore/paths/x/y"}, nil)
	require.NoError(t, err)
	require.Equal(t, "2", m.Version)
	require.Equal(t, "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/x/y", m.Path)
	newest, err := c.GetByLabel(t.Context(), "net", Latest)
	require.NoError(t, err)
	require.Equal(t, "2", newest.Version)

	out := t.TempDir()
	d, err := c.Download(t.Context(), "net", "1", out, nil)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(out, "net", "rows"), d.Dir)
	require.Equal(t, map[string]string{"net/rows/MLmodel": "flavors: {}\n", "net/rows/model.pkl": "p"}, readTree(t, out))

	// Inside a deployment a model has no name: its content's hash is one.
	id, err := c.Resolve(t.Context(), &Model{Path: filepath.Join(dir, "model.pkl")}, nil)
	require.NoError(t, err)
	file, err := Walk(t.Context(), filepath.Join(dir, "model.pkl"), nil)
	require.NoError(t, err)
	hash, err := file.ObjectHash(t.Context())
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(id, "/models/"+sha(hash)+"/versions/1"), id)
	require.Equal(t, true, w.doc("models/" + sha(hash) + "/versions/1")["isAnonymous"])
}

func TestEnvironments(t *testing.T) {
	w := newWorld(t)
	c := NewEnvironmentClient(w.c)
	dir := writeTree(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	e, err := c.Create(t.Context(), &Environment{Name: "built", Build: &Build{Path: dir}}, nil)
	require.NoError(t, err)
	require.Equal(t, w.blobs().blobURL("LocalUpload/"+objectHash(t, dir)+"/rows")+"/", e.Build.Path)
	require.Equal(t, "1", e.Version)

	// Without a version the newest is updated; the next one is made when the service does not take that.
	_, err = c.Create(t.Context(), &Environment{Name: "built", Image: "i"}, nil)
	require.NoError(t, err)
	require.Equal(t, "i", w.doc("environments/built/versions/1")["image"])
	w.taken["environments/built/versions/1"] = true
	e, err = c.Create(t.Context(), &Environment{Name: "built", Image: "j"}, nil)
	require.NoError(t, err)
	require.Equal(t, "2", e.Version)

	id, err := c.Resolve(t.Context(), &Environment{Image: "mcr/x", Conda: Conda{Tree: map[string]any{"name": "x", "dependencies": []any{"python=3.9"}}}}, nil)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(id, "/environments/CliV2AnonymousEnvironment/versions/d22999caeb6fdcad9e6e2f526798d8c12961a500f8790d999f34d0deb989dd2a"), id)
	require.Equal(t, "dependencies:\n- python=3.9\nname: x\n", w.doc("environments/CliV2AnonymousEnvironment/versions/d22999caeb6fdcad9e6e2f526798d8c12961a500f8790d999f34d0deb989dd2a")["condaFile"])
}

func TestCodeSnapshots(t *testing.T) {
	w := newWorld(t)
	c := NewCodeClient(w.c)
	dir := writeTree(t, map[string]string{"run.py": "print()", "lib/x.py": "x", "__pycache__/x.pyc": "c", ".amlignore": "*.tmp\n", "y.tmp": "t"})
	made, err := c.Create(t.Context(), &Code{Path: dir}, &CodeOptions{Extra: []string{"__pycache__"}})
	require.NoError(t, err)
	require.Equal(t, "1", made.Version)
	tree, err := Walk(t.Context(), dir, &WalkOptions{Extra: []string{"__pycache__"}})
	require.NoError(t, err)
	hash, err := tree.ContentHash(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"codeUri": "http://" + w.storage + "/" + w.account + "/codes-" + made.Name + "-1/rows", "isAnonymous": true,
		"properties": map[string]any{"hash_sha256": hash, "hash_version": float64(202208)},
	}, w.doc("codes/"+made.Name+"/versions/1"))

	calls := len(w.calls)
	again, err := c.Create(t.Context(), &Code{Path: dir}, &CodeOptions{Extra: []string{"__pycache__"}})
	require.NoError(t, err)
	require.Equal(t, made.ID, again.ID)
	require.Len(t, w.calls[calls:], 2, "found by its hash, and read")

	out := t.TempDir() // the datastore's signature is for its own container
	_, err = c.Download(t.Context(), made.Name, "1", out, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"run.py": "print()", "lib/x.py": "x", ".amlignore": "*.tmp\n"}, readTree(t, out))

	one, err := c.Create(t.Context(), &Code{Path: filepath.Join(dir, "run.py")}, nil)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(one.Path, "/codes-"+one.Name+"-1/"), one.Path)

	_, err = c.Create(t.Context(), &Code{Path: dir}, &CodeOptions{MaxSize: 10})
	var size *SizeError
	require.ErrorAs(t, err, &size)
	require.EqualValues(t, 10, size.Limit)
	require.Equal(t, "run.py", size.LargestFiles[0].Name)
	big := filepath.Join(t.TempDir(), "big")
	require.NoError(t, os.Mkdir(big, 0o755))
	f, err := os.Create(filepath.Join(big, "data.bin"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(MaxSnapshot+1))
	require.NoError(t, f.Close())
	_, err = c.Create(t.Context(), &Code{Path: big}, nil)
	require.ErrorContains(t, err, "has 300.0 MB in 1 files, and 300.0 MB is the limit")
	require.ErrorContains(t, err, "data.bin (300.0 MB)")
}

func TestResolve(t *testing.T) {
	w := newWorld(t)
	const W = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
	w.put("data/iris/versions/4", map[string]any{})
	w.put("environments/sk/versions/2", map[string]any{})
	data, envs := NewDataClient(w.c), NewEnvironmentClient(w.c)
	for ref, want := range map[string]string{
		"azureml:iris:7":                                       W + "/data/iris/versions/7",
		"iris:1.0:x":                                           W + "/data/iris/versions/1.0:x",
		"azureml:iris@latest":                                  W + "/data/iris/versions/4",
		W + "/data/a/versions/1":                               W + "/data/a/versions/1",
		"azureml:" + W + "/data/a/versions/1":                  W + "/data/a/versions/1",
		"azureml://registries/r/data/a/versions/1":             "azureml://registries/r/data/a/versions/1",
		"azureml://locations/l/workspaces/g/data/a/versions/1": "azureml://locations/l/workspaces/g/data/a/versions/1",
	} {
		got, err := data.Resolve(t.Context(), azureml.Ref(ref))
		require.NoError(t, err, ref)
		require.Equal(t, want, got, ref)
	}
	for ref, want := range map[string]string{
		"azureml:iris":             "a version is needed",
		"azureml:iris@stable":      `the label "stable" does not exist`,
		"azureml:none@latest":      "it has no versions",
		W + "/models/a/versions/1": "it is one of models",
		W + "/data/a":              "a version is needed",
		"https://x/y":              "this is no reference",
		"":                         "a version is needed",
		"azureml:a:b/c":            "is no version",
	} {
		_, err := data.Resolve(t.Context(), azureml.Ref(ref))
		require.ErrorContains(t, err, want, ref)
	}
	got, err := envs.Resolve(t.Context(), azureml.Ref("azureml:AzureML-sklearn-1.0:1"), nil)
	require.NoError(t, err)
	require.Equal(t, "azureml:AzureML-sklearn-1.0:1", got)
	got, err = envs.Resolve(t.Context(), azureml.Ref("azureml:sk@latest"), nil)
	require.NoError(t, err)
	require.Equal(t, W+"/environments/sk/versions/2", got)
	_, err = envs.Resolve(t.Context(), nil, nil)
	require.ErrorContains(t, err, "is no environment")
	_, err = envs.Resolve(t.Context(), (*Environment)(nil), nil)
	require.ErrorContains(t, err, "is nil")
	got, err = NewDatastoreClient(w.c).Resolve("azureml:blob")
	require.NoError(t, err)
	require.Equal(t, W+"/datastores/blob", got)
}

func TestDatastores(t *testing.T) {
	w := newWorld(t)
	c := NewDatastoreClient(w.c)
	d, err := c.Default(t.Context())
	require.NoError(t, err)
	require.Equal(t, BlobStore, d.DatastoreName())
	s, err := c.Secrets(t.Context(), BlobStore)
	require.NoError(t, err)
	require.Contains(t, s.SAS.Token, "sig=")
	made, err := c.Create(t.Context(), &BlobStorage{Name: "mine", Account: "acct", Container: "box", Credentials: Credentials{AccountKey: &AccountKey{"k"}}}, nil)
	require.NoError(t, err)
	require.Equal(t, "acct", made.(*BlobStorage).Account)
	require.Equal(t, map[string]any{"credentialsType": "AccountKey", "secrets": map[string]any{"secretsType": "AccountKey", "key": "k"}}, w.doc("datastores/mine")["credentials"])
	var all []string
	for s, err := range c.All(t.Context(), nil) {
		require.NoError(t, err)
		all = append(all, s.DatastoreName())
	}
	require.ElementsMatch(t, []string{BlobStore, "mine"}, all)
	require.NoError(t, c.Delete(t.Context(), "mine"))
	_, err = c.Get(t.Context(), "mine")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = c.Create(t.Context(), &BlobStorage{Name: "my-store", Credentials: Credentials{AccountKey: &AccountKey{"k"}, SAS: &SAS{"s"}}}, nil)
	for _, want := range []string{`name: "my-store" is no name of a datastore`, "account_name: is required", "container_name: is required", "credentials: give one of"} {
		require.ErrorContains(t, err, want)
	}
}
