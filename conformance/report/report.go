// Package report tells what the conformance suite found: as text for people, as
// JSON for programs and as JUnit XML for build servers. It knows nothing of what
// was checked.
package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes. Only FAIL makes a report fail.
const (
	Pass Outcome = "PASS"
	Fail Outcome = "FAIL" // a demand was not met, or could not be looked at
	Warn Outcome = "WARN" // a recommendation was not followed
	Skip Outcome = "SKIP" // the check does not apply, or the fixture does not allow it
)

// Result is one check with its outcome.
type Result struct {
	ID          string        `json:"id"`          // of the requirement; a second check of it has a suffix after a slash
	Level       string        `json:"level"`       // as in docs/spec/requirements.tsv: M, MN, S, SN, O, d
	Requirement string        `json:"requirement"` // its sentence
	Outcome     Outcome       `json:"outcome"`
	Detail      string        `json:"detail,omitempty"`   // one sentence; empty for PASS
	Messages    string        `json:"messages,omitempty"` // that show it
	Took        time.Duration `json:"took_ns"`
}

// Report is one run of the suite.
type Report struct {
	Subject string   `json:"subject"` // what was checked, as "resource server"
	Results []Result `json:"results"`
}

// Count returns the number of results with an outcome.
func (r Report) Count(o Outcome) int {
	n := 0
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}

// Line is a result in one line, for the progress and for lists.
func (r Result) Line() string {
	return fmt.Sprintf("%s %-26s %-2s %s", r.Outcome, r.ID, r.Level, r.Requirement)
}

// Text writes one line for each result, and below it what was wrong.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, result := range r.Results {
		b.WriteString(result.Line() + "\n")
		if result.Detail != "" {
			fmt.Fprintf(&b, "     %s\n", result.Detail)
		}
		if result.Messages != "" && result.Outcome != Skip {
			for line := range strings.Lines(result.Messages) {
				b.WriteString("     | " + line)
			}
		}
	}
	fmt.Fprintf(&b, "%s: %d passed, %d failed, %d warnings, %d skipped\n", r.Subject, r.Count(Pass), r.Count(Fail), r.Count(Warn), r.Count(Skip))
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the report as one JSON object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Skipped *junitText `xml:"skipped"`
	Output  string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report as a JUnit test suite. A warning is a passed test case
// with output.
func (r Report) JUnit(w io.Writer) error {
	s := junitSuite{Name: "licet conform: " + r.Subject, Tests: len(r.Results), Failures: r.Count(Fail), Skipped: r.Count(Skip)}
	var all time.Duration
	for _, result := range r.Results {
		all += result.Took
		c := junitCase{Class: result.Level, Name: result.ID + " " + result.Requirement, Time: seconds(result.Took)}
		switch result.Outcome {
		case Fail:
			c.Failure = &junitText{result.Detail, result.Messages}
		case Skip:
			c.Skipped = &junitText{Message: result.Detail}
		case Warn:
			c.Output = "WARN " + result.Detail + "\n" + result.Messages
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(all)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
