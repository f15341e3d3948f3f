package mlflow

import (
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSystemParsers(t *testing.T) {
	busy, total := parseProcStat("cpu  100 20 30 800 40 5 5 0 50 1\ncpu0 1 2 3\n")
	require.Equal(t, 160.0, busy)
	require.Equal(t, 1000.0, total)
	busy, _ = parseProcStat("nothing")
	require.True(t, math.IsNaN(busy))

	used, all := parseMeminfo("MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n")
	require.Equal(t, 600*1024.0, used)
	require.Equal(t, 1000*1024.0, all)
	used, _ = parseMeminfo("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 50 kB\n")
	require.Equal(t, 800*1024.0, used)

	in, out := parseNetDev("Inter-| Receive | Transmit\n face |bytes\n    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n  eth0:2000 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n")
	require.Equal(t, 2100.0, in)
	require.Equal(t, 130.0, out)

	require.Equal(t, float64((10+20+5)*16384), parseVMStat("Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:      5.\nPages active:                     10.\nPages inactive: 9.\nPages wired down:                 20.\nPages occupied by compressor:     5.\n"))
	require.InDelta(t, 13.96, parseTop("CPU usage: 90.0% user, 9.0% sys, 1.0% idle\n...\nCPU usage: 4.41% user, 9.55% sys, 86.2% idle\n"), 1e-9)
	in, out = parseNetstat("Name  Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll\nlo0   16384 <Link#1>                           10     0       1000       10     0       1000     0\nen0   1500  <Link#4>      aa:bb:cc:dd:ee:ff    20     0       5000       10     0        700     0\nen0   1500  192.168.1     192.168.1.2          20     -       5000       10     -        700     -\n")
	require.Equal(t, 6000.0, in)
	require.Equal(t, 1700.0, out)

	gpus, err := parseGPUs("0, 1024, 4096, 37, 70.5, 300.0\n1, 0, 4096, 0, [N/A], [N/A]\n")
	require.NoError(t, err)
	require.Equal(t, map[string]float64{
		"gpu_0_memory_usage_megabytes": 1073.741824, "gpu_0_memory_usage_percentage": 25, "gpu_0_utilization_percentage": 37, "gpu_0_power_usage_watts": 70.5, "gpu_0_power_usage_percentage": 23.5,
		"gpu_1_memory_usage_megabytes": 0, "gpu_1_memory_usage_percentage": 0, "gpu_1_utilization_percentage": 0,
	}, gpus)
}

// What the machine says has sense.
func TestReadSystem(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" && runtime.GOOS != "windows" {
		t.Skip("system metrics are not known on " + runtime.GOOS)
	}
	first := readSystem(t.Context())
	second := readSystem(t.Context())
	values := usage(first, first, second)
	require.Positive(t, values["system_memory_usage_megabytes"])
	require.Less(t, values["system_memory_usage_percentage"], 100.0)
	require.Positive(t, values["disk_usage_megabytes"])
	require.Contains(t, values, "network_receive_megabytes")
}

func TestUsage(t *testing.T) {
	first := sample{100, 1000, 50, 100, 30, 70, 1e6, 2e6, math.NaN()}
	now := sample{150, 1100, 60, 100, 30, 70, 3e6, 2e6, math.NaN()}
	require.Equal(t, map[string]float64{
		"cpu_utilization_percentage": 50, "system_memory_usage_megabytes": 60 / 1e6, "system_memory_usage_percentage": 60,
		"disk_usage_percentage": 30, "disk_usage_megabytes": 30 / 1e6, "disk_available_megabytes": 70 / 1e6,
		"network_receive_megabytes": 2, "network_transmit_megabytes": 0,
	}, usage(first, first, now))
}

func TestMonitorSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{}
		r := open(t, "http://server", Options{Transport: s, OwnRun: "r"}).Runs.Handle("r")
		r.Data.Metrics = map[string]Metric{"system/disk_usage_percentage": {Step: 4}}
		r.MonitorSystem(&SystemOptions{Samples: 3, Resume: true})
		time.Sleep(65 * time.Second)
		require.NoError(t, r.End(t.Context(), Finished))
		steps := map[string][]int64{}
		for _, v := range s.stored() {
			steps[v.Key] = append(steps[v.Key], v.Step)
		}
		require.Equal(t, []int64{5, 6}, steps["system/disk_usage_percentage"])
	})
}
