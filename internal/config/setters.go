// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"time"
)

// A setter checks one TOML value and stores it.
type setter func(value any) *problem

// typed is value if it has exactly one TOML type; want says how to write that.
func typed[T any](value any, want string) (T, *problem) {
	v, ok := value.(T)
	if !ok {
		return v, wrong(fmt.Sprintf("is %s", typeName(value)), "write "+want)
	}
	return v, nil
}

func typeName(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

func text(into *string, parse func(string) (string, *problem)) setter {
	return func(value any) *problem {
		s, p := typed[string](value, "text in double quotes")
		if p == nil {
			s, p = parse(s)
		}
		if p == nil {
			*into = s
		}
		return p
	}
}

// orAuto takes true, false or Auto.
func orAuto(into *string) setter {
	return func(value any) *problem {
		switch value {
		case true, false, Auto:
			*into = fmt.Sprint(value)
			return nil
		}
		return wrong(fmt.Sprintf("is %s", typeName(value)),
			"write true or false without quotes, or \"auto\"")
	}
}

func boolean(into *bool) setter {
	return func(value any) *problem {
		b, p := typed[bool](value, "true or false, without quotes")
		if p == nil {
			*into = b
		}
		return p
	}
}

func integer(into *int, least, most int64) setter {
	return func(value any) *problem {
		what := fmt.Sprintf("a whole number from %d to %d, without quotes", least, most)
		n, p := typed[int64](value, what)
		if p != nil {
			return p
		}
		if n < least || n > most {
			return wrong(fmt.Sprintf("%d is out of range", n),
				fmt.Sprintf("use a number from %d to %d", least, most))
		}
		*into = int(n)
		return nil
	}
}

func duration(into *time.Duration, least, most time.Duration) setter {
	between := fmt.Sprintf("from %q to %q", least, most)
	return func(value any) *problem {
		s, p := typed[string](value, "a duration in double quotes, "+between)
		if p != nil {
			return p
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return wrong(quote(s)+" is not a duration",
				`write a number with its unit, such as "280s" or "4m40s"`)
		}
		if d < least || d > most {
			return wrong(quote(s)+" is out of range", "use a duration "+between)
		}
		*into = d
		return nil
	}
}

// maxList bounds lists: the name service walks them in every process.
const maxList = 100

// list takes a list of text. A name given twice is refused: one of the two was meant to be another.
func list(into *[]string, parse func(string) (string, *problem)) setter {
	return func(value any) *problem {
		elements, p := typed[[]any](value, `a list, such as ["a", "b"]`)
		if p != nil {
			return p
		}
		if len(elements) > maxList {
			return wrong(fmt.Sprintf("has %d elements", len(elements)),
				fmt.Sprintf("use at most %d", maxList))
		}
		var out []string
		for _, element := range elements {
			var s string
			if p := text(&s, parse)(element); p != nil {
				return p
			}
			if slices.Contains(out, s) {
				return wrong(quote(s)+" is listed twice", "remove one of the two")
			}
			out = append(out, s)
		}
		*into = out
		return nil
	}
}

// idRange accepts [first, last]. Ids below 1000 are the system's own, programs take ids above
// 2147483646 for negative, and 65534 and 65535 mean nobody and "no id". Ids are found by hashing,
// so a narrow range has many collisions long before it is full.
func idRange(into *[2]uint32) setter {
	const least, most, width = 1000, 2147483646, 1024
	return func(value any) *problem {
		const fix = "write [first, last] with 1000 <= first, last <= 2147483646 and at least " +
			"1024 ids between them"
		pair, p := typed[[]any](value, "a list of two numbers, such as [1879048192, 2147483646]")
		if p != nil {
			return p
		}
		if len(pair) != 2 {
			return wrong(fmt.Sprintf("has %d elements", len(pair)), fix)
		}
		low, p := typed[int64](pair[0], "numbers without quotes")
		if p != nil {
			return p
		}
		high, p := typed[int64](pair[1], "numbers without quotes")
		if p != nil {
			return p
		}
		switch {
		case low < least || high > most || high < low || high-low < width-1:
			return wrong(fmt.Sprintf("[%d, %d] cannot be used", low, high), fix)
		case low <= 65535 && high >= 65534:
			return wrong(fmt.Sprintf("[%d, %d] holds 65534 and 65535, which mean nobody", low, high),
				"start above 65535 or end below 65534")
		}
		*into = [2]uint32{uint32(low), uint32(high)}
		return nil
	}
}
