.PHONY: demo up test check
.DEFAULT_GOAL := demo
demo up test check:
	@./run $@
