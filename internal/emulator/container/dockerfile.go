package container

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CondaFile is the name of the conda file beside the Dockerfile that Dockerfile makes.
const CondaFile = "azureml-environment-setup/mutated_conda_dependencies.yml"

// Tag names an image that is made here, by what it is made of.
func Tag(hash string) string { return "localhost/azureml-local:" + hash }

// CondaHash tells images with conda files apart: the base image by its own id, so
// that another image of the same name gives another one.
func CondaHash(image, id, conda string) string {
	return sum(func(w io.Writer) error {
		_, err := io.WriteString(w, image+"\x00"+id+"\x00"+conda)
		return err
	})
}

func sum(write func(w io.Writer) error) string {
	h := sha256.New()
	if write(h) != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Dockerfile is the one that Azure makes of a base image and a conda file: the
// environment is made by the image's own conda and comes first in PATH.
func Dockerfile(image, hash string) string {
	at := "/azureml-envs/azureml_" + hash
	return strings.Join([]string{
		"FROM " + image,
		"USER root",
		"RUN mkdir -p $HOME/.cache",
		"WORKDIR /",
		"COPY " + CondaFile + " " + CondaFile,
		"RUN conda env create -p " + at + " -f " + CondaFile + ` && rm -rf "$HOME/.cache/pip" && conda clean -aqy`,
		"# AzureML Conda environment name: azureml_" + hash,
		"ENV PATH=" + at + "/bin:$PATH",
		"ENV AZUREML_CONDA_ENVIRONMENT_PATH=" + at,
		"ENV LD_LIBRARY_PATH=" + at + "/lib:$LD_LIBRARY_PATH",
		"ENV CONDA_DEFAULT_ENV=azureml_" + hash + " CONDA_PREFIX=" + at,
		"ENV AZUREML_ENVIRONMENT_IMAGE=True",
		`CMD ["bash"]`,
		"",
	}, "\n")
}

// ContextHash tells build contexts apart by their files and the Dockerfile's name.
func ContextHash(dir, dockerfile string) (string, error) {
	var fault error
	hash := sum(func(w io.Writer) error {
		if _, err := io.WriteString(w, dockerfile+"\x00"); err != nil {
			return err
		}
		fault = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // in lexical order
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			one := sha256.New()
			if _, err := io.Copy(one, f); err != nil {
				return err
			}
			_, err = io.WriteString(w, filepath.ToSlash(rel)+"\x00"+hex.EncodeToString(one.Sum(nil))+"\x00")
			return err
		})
		return fault
	})
	return hash, fault
}
