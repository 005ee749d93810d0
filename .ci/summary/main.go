// Summary reads `go test -json` and prints what a person wants: each package as it ends, the output of what failed,
// why tests were skipped, and a closing count.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build output
	Elapsed                       float64
}

func main() {
	passed, failed := 0, 0
	skipped := map[string]int{}
	output := map[string][]string{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "build-output":
			fmt.Print(e.Output)
		case "build-fail":
			failed++
		case "output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				fmt.Printf("ok    %-55s %6.1f s\n", e.Package, e.Elapsed)
			}
		case "fail":
			if e.Test != "" {
				failed++
			} else if len(output[key]) > 0 && !strings.Contains(strings.Join(output[key], ""), "FAIL\n") {
				failed++
			}
			fmt.Printf("FAIL  %s\n%s", key, strings.Join(output[key], ""))
		case "skip":
			if e.Test != "" {
				skipped[reason(output[key])]++
			}
		}
		if e.Action == "pass" || e.Action == "skip" {
			delete(output, key)
		}
	}
	total := 0
	for _, why := range slices.Sorted(maps.Keys(skipped)) {
		fmt.Printf("skipped %d: %s\n", skipped[why], why)
		total += skipped[why]
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, total)
}

// reason is the last thing a skipped test said, without its place in the source.
func reason(lines []string) string {
	for _, line := range slices.Backward(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "===") {
			continue
		}
		if _, said, ok := strings.Cut(line, ".go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			return said
		}
		return line
	}
	return "no reason given"
}
