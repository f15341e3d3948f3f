package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// As isodate prints a timedelta.
func TestDurations(t *testing.T) {
	for us, want := range map[int64]string{
		0: "P0D", 1: "PT0.000001S", 10: "PT0.00001S", 999999: "PT0.999999S", 1000000: "PT1S", 60000000: "PT1M", 61500000: "PT1M1.5S", 3600000000: "PT1H",
		86400000000: "P1D", 90061000001: "P1DT1H1M1.000001S", 604800000000: "P7D", -1000000: "-PT1S", 604800000001: "P7DT0.000001S",
	} {
		d := time.Duration(us) * time.Microsecond
		require.Equal(t, want, FormatDuration(d))
		back, err := ParseDuration(want)
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
	for s, want := range map[string]time.Duration{"PT60M": time.Hour, "P1W": 7 * 24 * time.Hour, "pt0,5s": 500 * time.Millisecond, "PT1.5H": 90 * time.Minute, "+PT1S": time.Second} {
		got, err := ParseDuration(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got)
	}
	for _, s := range []string{"", "P", "PT", "1H", "P1Y", "P1M", "PT1", "P1H", "PT1S1M", "PT1S1S", "PT.S", "P1DT", "PT9999999999999999H", "P999999999999D", "PT1e5S", "PTT1S"} {
		_, err := ParseDuration(s)
		require.Error(t, err, s)
	}
}

func TestDurationsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-1e17, 1e17).Draw(t, "us")/1000) * time.Microsecond
		back, err := ParseDuration(FormatDuration(d))
		require.NoError(t, err)
		require.Equal(t, d, back)
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"PT1H", "P1DT2H3M4.5S", "P1W", "-PT0.1S", "P1M", "PT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		us := d.Truncate(time.Microsecond)
		again, err := ParseDuration(FormatDuration(us))
		if err != nil || again != us {
			t.Fatalf("%q is %v, then %v (%v)", s, us, again, err)
		}
	})
}
