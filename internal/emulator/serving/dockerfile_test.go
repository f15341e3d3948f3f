package serving

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDockerfile(t *testing.T) {
	im, err := parseDockerfile(`# syntax=docker/dockerfile:1
FROM --platform=linux/amd64 mcr.microsoft.com/x:1
WORKDIR /app
ENV PORT=5001 NAME="a b" \
    # a comment between
    DIR=/models/$NAME
ENV OLD one two
COPY --chmod=755 score ./
COPY ["a b", "data/"]
EXPOSE 5001
ENTRYPOINT ["/app/score", "-x"]
CMD ["-y"]
`)
	require.NoError(t, err)
	require.Equal(t, &image{
		from: "mcr.microsoft.com/x:1", workdir: "/app",
		env:        []string{"PORT=5001", "NAME=a b", "DIR=/models/a b", "OLD=one two"},
		copies:     []copyStep{{[]string{"score"}, "/app/", 8}, {[]string{"a b"}, "/app/data/", 9}},
		entrypoint: []string{"/app/score", "-x"}, cmd: []string{"-y"},
	}, im)
}

func TestDockerfileRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "dockerfile: there is no FROM",
		"RUN x":                            "dockerfile line 1: RUN stands before FROM",
		"FROM a\nRUN pip install x":        "dockerfile line 2: RUN: without a container engine only FROM, WORKDIR, COPY, ENV, EXPOSE, ENTRYPOINT and CMD can be run",
		"FROM a\n\nFROM b":                 "dockerfile line 3: a second FROM: builds in stages need a container engine",
		"FROM a\nCOPY --from=b x y\n":      "dockerfile line 2: COPY --from=b: only files of the build context can be copied",
		"FROM a\nCOPY x":                   "dockerfile line 2: COPY wants sources and a destination",
		"FROM a\nCOPY x y":                 "dockerfile: there is neither ENTRYPOINT nor CMD; what the base image would start is not known here",
		"FROM a\nENV X":                    "dockerfile line 2: ENV X has no value",
		"FROM a\nENV X=1 Y":                `dockerfile line 2: ENV: "Y" is not NAME=value`,
		"FROM a\nWORKDIR":                  "dockerfile line 2: WORKDIR says nothing",
		"FROM --platform=x":                "dockerfile line 1: FROM names no image",
		"FROM a\nCOPY http://x/y z\nCMD x": "dockerfile line 2: COPY http://x/y: only files of the build context can be copied",
	} {
		_, err := parseDockerfile(text)
		require.EqualError(t, err, want)
	}
}

func FuzzParseDockerfile(f *testing.F) {
	f.Add("FROM a\nCOPY [\"x\"] y\nENV A=\"b\\\"c\" \\\nCMD x")
	f.Add("FROM a\nENV \"=\nCMD [")
	f.Fuzz(func(t *testing.T, text string) {
		if im, err := parseDockerfile(text); err == nil && im.from == "" {
			t.Fatal("accepted without FROM")
		}
	})
}
