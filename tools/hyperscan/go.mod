module github.com/newswatch/newswatch/tools/hyperscan

go 1.26.0

require github.com/newswatch/newswatch v0.0.0

require (
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/newswatch/newswatch => ../..
