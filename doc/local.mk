# doc
dist_man_MANS += \
	doc/man/flurm-gateway.8 \
	doc/man/flurmfed.8 \
	doc/man/gateway.conf.5 \
	# End of dist_man_MANS
