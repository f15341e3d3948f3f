package container

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDockerfile(t *testing.T) {
	require.Equal(t, `FROM base:1
USER root
RUN mkdir -p $HOME/.cache
WORKDIR /
COPY azureml-environment-setup/mutated_conda_dependencies.yml azureml-environment-setup/mutated_conda_dependencies.yml
RUN conda env create -p /azureml-envs/azureml_h -f azureml-environment-setup/mutated_conda_dependencies.yml && rm -rf "$HOME/.cache/pip" && conda clean -aqy
# AzureML Conda environment name: azureml_h
ENV PATH=/azureml-envs/azureml_h/bin:$PATH
ENV AZUREML_CONDA_ENVIRONMENT_PATH=/azureml-envs/azureml_h
ENV LD_LIBRARY_PATH=/azureml-envs/azureml_h/lib:$LD_LIBRARY_PATH
ENV CONDA_DEFAULT_ENV=azureml_h CONDA_PREFIX=/azureml-envs/azureml_h
ENV AZUREML_ENVIRONMENT_IMAGE=True
CMD ["bash"]
`, Dockerfile("base:1", "h"))
}

func TestHashes(t *testing.T) {
	a := CondaHash("i", "id", "x")
	require.Len(t, a, 32)
	for _, b := range []string{CondaHash("i", "id2", "x"), CondaHash("i", "id", "y"), CondaHash("j", "id", "x")} {
		require.NotEqual(t, a, b)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		h, err := ContextHash(dir, "Dockerfile")
		require.NoError(t, err)
		return h
	}
	one := write("Dockerfile", "FROM x")
	two := write("f", "1")
	three := write("f", "2")
	require.NotEqual(t, one, two)
	require.NotEqual(t, two, three)
	require.Equal(t, two, write("f", "1"))
	_, err := ContextHash(filepath.Join(dir, "none"), "Dockerfile")
	require.Error(t, err)
}
