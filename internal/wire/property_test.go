package wire_test

import (
	"testing"

	"github.com/azureml-go/azureml/internal/wire/wiretest"
	"pgregory.net/rapid"
)

func TestKindsHoldWhateverTheirFields(t *testing.T) {
	cv := wiretest.Value(func(t *rapid.T) crossValidations {
		if rapid.Bool().Draw(t, "auto") {
			return crossValidations{Auto: true}
		}
		return crossValidations{N: rapid.IntRange(1, 9).Draw(t, "n")}
	})
	input := wiretest.Value(func(t *rapid.T) in {
		if rapid.Bool().Draw(t, "literal") {
			return in{Value: "a"}
		}
		return in{Type: "uri_file", Path: "x"}
	})
	t.Run("cluster", func(t *testing.T) { wiretest.Kind[cluster](t) })
	t.Run("vm", func(t *testing.T) { wiretest.Kind[vm](t) })
	t.Run("datastore", func(t *testing.T) { wiretest.Kind[blobStore](t) })
	t.Run("AutoML", func(t *testing.T) { wiretest.Kind[autoML](t, cv) })
	t.Run("pipeline", func(t *testing.T) { wiretest.Kind[pipeline](t, input) })
}
