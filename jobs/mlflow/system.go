package mlflow

import (
	"context"
	"encoding/csv"
	"log/slog"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SystemOptions of Run.MonitorSystem.
type SystemOptions struct {
	// Interval between samples. Defaults to 10 s.
	Interval time.Duration
	// Samples are averaged into one value. Defaults to 1.
	Samples int
	// Node is put into the names, system/NODE/cpu_utilization_percentage, to tell machines apart.
	Node string
	// Resume goes on after the greatest step that the run has.
	Resume bool
}

// SystemMonitor logs how busy the machine is, under MLflow's names: system/cpu_utilization_percentage,
// system/system_memory_usage_megabytes, system/system_memory_usage_percentage,
// system/disk_usage_percentage, system/disk_usage_megabytes, system/disk_available_megabytes,
// system/network_receive_megabytes, system/network_transmit_megabytes (both since the monitor began) and,
// where nvidia-smi is, system/gpu_0_…. The values go through the run's metric logger.
type SystemMonitor struct {
	stop context.CancelFunc
	done chan struct{}
}

// sample is what a machine says at one moment. What it does not say is NaN.
type sample struct {
	cpuBusy, cpuTotal            float64 // ever growing, in any unit
	memoryUsed, memoryTotal      float64 // bytes
	diskUsed, diskFree           float64 // bytes; free to this user
	networkReceived, networkSent float64 // bytes, ever growing
	cpuPercent                   float64 // where a system tells this instead of growing numbers
}

func emptySample() sample {
	n := math.NaN()
	return sample{n, n, n, n, n, n, n, n, n}
}

// MonitorSystem logs system metrics until the monitor is closed, by itself or by End.
func (r *Run) MonitorSystem(o *SystemOptions) *SystemMonitor {
	if o == nil {
		o = &SystemOptions{}
	}
	interval, samples := o.Interval, o.Samples
	if interval <= 0 {
		interval = 10 * time.Second
	}
	if samples <= 0 {
		samples = 1
	}
	prefix := "system/"
	if o.Node != "" {
		prefix += o.Node + "/"
	}
	step := 0
	if o.Resume {
		for key, v := range r.Data.Metrics {
			if strings.HasPrefix(key, "system/") && int(v.Step) >= step {
				step = int(v.Step) + 1
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &SystemMonitor{stop: cancel, done: make(chan struct{})}
	r.mu.Lock()
	old := r.monitor
	r.monitor = s
	r.mu.Unlock()
	if old != nil {
		old.Close()
	}
	m, c := r.Metrics(), r.c
	_, err := exec.LookPath("nvidia-smi")
	gpus := err == nil
	go func() {
		defer close(s.done)
		first := readSystem(ctx)
		last := first
		sums := newAverages()
		for n := 1; ; n++ {
			if c.clock.Sleep(ctx, interval) != nil {
				return
			}
			now := readSystem(ctx)
			sums.add(usage(first, last, now))
			last = now
			if gpus {
				values, err := readGPUs(ctx)
				if err != nil && ctx.Err() == nil {
					gpus = false
					c.log.LogAttrs(ctx, slog.LevelWarn, "mlflow: no GPU metrics", slog.String("cause", err.Error()))
				}
				sums.add(values)
			}
			if n%samples == 0 {
				values := sums.take()
				named := make(map[string]float64, len(values))
				for key, v := range values {
					named[prefix+key] = v
				}
				m.LogAll(named, step)
				step++
			}
		}
	}()
	return s
}

// Close ends the monitor; its last values are with the metric logger.
func (s *SystemMonitor) Close() {
	s.stop()
	<-s.done
}

// usage makes MLflow's values of samples.
func usage(first, last, now sample) map[string]float64 {
	values := map[string]float64{}
	put := func(name string, v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			values[name] = v
		}
	}
	put("cpu_utilization_percentage", now.cpuPercent)
	if total := now.cpuTotal - last.cpuTotal; total > 0 {
		put("cpu_utilization_percentage", min(max((now.cpuBusy-last.cpuBusy)/total*100, 0), 100))
	}
	put("system_memory_usage_megabytes", now.memoryUsed/1e6)
	put("system_memory_usage_percentage", now.memoryUsed/now.memoryTotal*100)
	put("disk_usage_percentage", now.diskUsed/(now.diskUsed+now.diskFree)*100)
	put("disk_usage_megabytes", now.diskUsed/1e6)
	put("disk_available_megabytes", now.diskFree/1e6)
	put("network_receive_megabytes", (now.networkReceived-first.networkReceived)/1e6)
	put("network_transmit_megabytes", (now.networkSent-first.networkSent)/1e6)
	return values
}

// averages collects samples; network counters are not averaged, the last one counts.
type averages struct {
	mu     sync.Mutex
	sums   map[string]float64
	counts map[string]int
}

func newAverages() *averages {
	return &averages{sums: map[string]float64{}, counts: map[string]int{}}
}

func (a *averages) add(values map[string]float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, v := range values {
		if strings.HasPrefix(key, "network_") {
			a.sums[key], a.counts[key] = v, 1
			continue
		}
		a.sums[key] += v
		a.counts[key]++
	}
}

func (a *averages) take() map[string]float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	values := make(map[string]float64, len(a.sums))
	for key, sum := range a.sums {
		v := sum / float64(a.counts[key])
		if !strings.HasPrefix(key, "network_") {
			v = math.RoundToEven(v*10) / 10
		}
		values[key] = v
	}
	clear(a.sums)
	clear(a.counts)
	return values
}

// readGPUs asks nvidia-smi.
func readGPUs(ctx context.Context) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=index,memory.used,memory.total,utilization.gpu,power.draw,power.limit", "--format=csv,noheader,nounits").Output()
	if err != nil {
		return nil, err
	}
	return parseGPUs(string(out))
}

// parseGPUs reads nvidia-smi's table: MiB, percent, watts; "[N/A]" where a card does not say.
func parseGPUs(text string) (map[string]float64, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace, r.FieldsPerRecord = true, 6
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, row := range rows {
		number := func(i int) float64 {
			f, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 64)
			if err != nil {
				return math.NaN()
			}
			return f
		}
		for name, v := range map[string]float64{
			"memory_usage_megabytes":  number(1) * (1 << 20) / 1e6,
			"memory_usage_percentage": number(1) / number(2) * 100,
			"utilization_percentage":  number(3),
			"power_usage_watts":       number(4),
			"power_usage_percentage":  number(4) / number(5) * 100,
		} {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				values["gpu_"+strings.TrimSpace(row[0])+"_"+name] = v
			}
		}
	}
	return values, nil
}
