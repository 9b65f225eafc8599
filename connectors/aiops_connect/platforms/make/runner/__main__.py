from aiops_connect.platforms.make.runner.cli import main

main()
